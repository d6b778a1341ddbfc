"""BasicMotions: 40 + 40 recordings of a smart watch, 100 steps at 10 Hz, accelerometer and gyroscope."""

from edgeternary.train.data.core import Data, Place
from edgeternary.train.data.series import load_series

BASIC_MOTIONS = "BasicMotions, UEA archive of time series classification"
CLASSES = ("standing", "running", "walking", "badminton")
LENGTH = 100


def basic_motions(folder: Place = None, validation: float = 0.2, seed: int = 0) -> Data:
    """int8 codes (n, 1, 100, 6); folder, validation, seed: see `load_series`. aeon holds the files."""
    return load_series("BasicMotions", BASIC_MOTIONS, CLASSES, LENGTH, folder, validation, seed)


def basic_motions_whole() -> Data:
    """All 40 official training series train; see `load_series` with validation 0."""
    return basic_motions(validation=0)
