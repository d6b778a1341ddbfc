"""The features of MLPerf Tiny's keyword spotting: 49 frames of 10 MFCC, of clips of one second.

github.com/mlcommons/tiny, benchmark/training/keyword_spotting/get_dataset.py: the clip is divided by its
largest sample; Hann windows of 30 ms every 20 ms, the magnitudes of 512 points, 40 bands from 20 to 4,000 Hz,
ln(band + 1e-6), the first 10 coefficients of the cosine transform.
"""

from edgeternary.errors import EdgeTernaryError
from edgeternary.features.sound import Sound
from edgeternary.ir import Graph

SHAPE = (49, 10)


def mlperf(graph: Graph) -> Sound:
    """The front end of a model that reads these features, in the codes of its input.

    EdgeTernaryError for a model with another input.
    """
    value, meta = graph.input, graph.meta
    scale, zero = meta.input_scale, meta.input_zero
    if value.shape[:2] != SHAPE or value.size != SHAPE[0] * SHAPE[1] or not isinstance(scale, float | int):
        raise EdgeTernaryError(
            f"model {graph.name!r} does not read MLPerf's features",
            f"its input is {' x '.join(map(str, value.shape))}, not 49 x 10 codes with one scale",
            "name the front end that it was trained with",
        )
    return Sound(
        bands=40, low=20.0, high=4000.0, floor=-120.0, coefficients=10, peak=True, type=value.type.name,
        scale=float(scale), zero=int(zero) if isinstance(zero, int) else 0,
    )  # fmt: skip
