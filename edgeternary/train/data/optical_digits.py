"""The 1,797 handwritten digits of 8x8 that scikit-learn ships (E. Alpaydin, C. Kaynak, UCI repository)."""

import gzip
import importlib.util
import zlib
from pathlib import Path

import numpy as np

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train.data.core import Data
from edgeternary.train.data.splits import cut_last

DIGITS = "8x8 digits of scikit-learn, last 360 as test"
TEST, VALIDATION = 360, 180
REMEDY = "install it with: pip install 'edgeternary[data]'"


def digits_file() -> Path:
    """digits.csv.gz of scikit-learn: lines of 64 pixels 0..16 and the digit. Does not import the package."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise EdgeTernaryError("scikit-learn is missing", "it holds the 8x8 digits", REMEDY, TOOL_MISSING)
    return Path(spec.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")


def digits() -> Data:
    """uint8 codes 0..16 (n, 8, 8, 1) in scikit-learn's order. The last 360 test, the 180 before validate."""
    file = digits_file()
    try:
        with gzip.open(file, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",").astype(np.uint8)
        x, y = table[:, :64].reshape(-1, 8, 8, 1), table[:, 64]
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise EdgeTernaryError(f"{file} cannot be read", str(error), "install scikit-learn again") from error
    rest, test = cut_last(x, y, TEST)
    return Data(DIGITS, *cut_last(*rest, VALIDATION), test, tuple("0123456789"), input_scale=1 / 16)
