"""Shapes that nobody tuned for: layers drawn by a seed, beside CMSIS-NN int8 and the suite.

The kinds take turns. Of each shape

    conv2d      H, W 6..40   C 1..64   OUT 4..96   kernel 3x3, 5x5, 3x1, 1x5, 4x3   stride 1, 1, 2
    depthwise   H, W 5..40   C 8..128              kernel 3x3, 3x3, 5x5             stride 1, 1, 2
    pointwise   H, W 4..32   C 8..128  OUT 8..128
    conv1d      L 16..256    C 1..64   OUT 4..96   kernel 3, 5, 9                   stride 1, 1, 2
    dense       IN 32..1024  OUT 8..256

sizes are integers whose logarithms are uniform, the others are drawn from these lists; one convolution in
four is `valid`. Shapes outside FEWEST..MOST multiply-accumulates are drawn again.
"""

from collections.abc import Callable, Iterator, Sequence
from math import exp, log
from statistics import median

import numpy as np

from edgeternary.bench import int8, layers, rows
from edgeternary.bench.modes import Mode
from edgeternary.bench.rows import Row
from edgeternary.errors import EdgeTernaryError

FEWEST, MOST = 10_000, 4_000_000
STRIDES = ("", "", ",s2")
WANTED = 0.8  # share of the suite's median ratio that a drawn layer should reach

Rng = np.random.Generator
Progress = Callable[[str, int, int], None]


def shapes(count: int, seed: int) -> Iterator[str]:
    """`count` layers as `bench --layer` takes them, the same ones for the same seed."""
    rng, kinds = np.random.default_rng(seed), list(KINDS)
    for number in range(count):
        yield _shape(rng, KINDS[kinds[number % len(kinds)]])


def _shape(rng: Rng, drawn: Callable[[Rng], str]) -> str:
    while True:
        text = drawn(rng)
        try:
            layer = layers.parse(text)
        except EdgeTernaryError:  # the window is larger than the input
            continue
        if FEWEST <= layer.macs <= MOST:
            return text


def _size(rng: Rng, least: int, most: int) -> int:
    return round(exp(rng.uniform(log(least - 0.5), log(most + 0.49))))


def _pick(rng: Rng, *among: str) -> str:
    return among[int(rng.integers(len(among)))]


def _conv2d(rng: Rng) -> str:
    height, width, channels = _size(rng, 6, 40), _size(rng, 6, 40), _size(rng, 1, 64)
    kernel = _pick(rng, "3", "5", "3x1", "1x5", "4x3")
    return f"conv2d:{height}x{width}x{channels}-{_size(rng, 4, 96)},k{kernel}{_rest(rng)}"


def _depthwise(rng: Rng) -> str:
    height, width, channels = _size(rng, 5, 40), _size(rng, 5, 40), _size(rng, 8, 128)
    return f"depthwise:{height}x{width}x{channels},k{_pick(rng, '3', '3', '5')}{_rest(rng)}"


def _pointwise(rng: Rng) -> str:
    height, width, channels = _size(rng, 4, 32), _size(rng, 4, 32), _size(rng, 8, 128)
    return f"pointwise:{height}x{width}x{channels}-{_size(rng, 8, 128)}"


def _conv1d(rng: Rng) -> str:
    length, channels, out = _size(rng, 16, 256), _size(rng, 1, 64), _size(rng, 4, 96)
    return f"conv1d:{length}x{channels}-{out},k{_pick(rng, '3', '5', '9')}{_rest(rng)}"


def _dense(rng: Rng) -> str:
    return f"dense:{_size(rng, 32, 1024)}-{_size(rng, 8, 256)}"


def _rest(rng: Rng) -> str:
    return _pick(rng, *STRIDES) + _pick(rng, "", "", "", ",valid")


KINDS: dict[str, Callable[[Rng], str]] = {
    "conv2d": _conv2d,
    "depthwise": _depthwise,
    "pointwise": _pointwise,
    "conv1d": _conv1d,
    "dense": _dense,
}


def measure(
    drawn: Sequence[str],
    mode: Mode,
    seed: int,
    core: str,
    options: dict[str, object],
    progress: Progress = lambda text, done, total: None,
) -> list[Row]:
    """A row for each drawn layer, beside the suite's layers in the same mode, which are measured as well.

    suite_median  the median ratio of the suite's convolutions, or of its dense layers
    share         ratio / suite_median
    """
    known = int8.opponent().layers
    texts = [*known, *drawn]
    found: list[Row] = []
    for number, text in enumerate(texts):
        progress(f"{text} {core}", number, len(texts))
        layer = layers.parse(text)
        graph = layers.graph(layer, mode, 0 if number < len(known) else seed)
        found.append(rows.layer_row(layer, graph, mode, core, options))
    return [_shared(row, found[: len(known)]) for row in found[len(known) :]]


def summary(found: Sequence[Row]) -> list[Row]:
    """One row a core.

    layers  their number;  enough  those that reach WANTED of the suite's median
    slower  those that take more instructions than CMSIS-NN
    median_share, least, median_ratio, least_ratio  over all layers
    """
    result: list[Row] = []
    for core in dict.fromkeys(row["core"] for row in found):
        shares = [row["share"] for row in found if row["core"] == core and row["share"] is not None]
        enough = sum(share >= WANTED for share in shares)
        middle, least = (round(median(shares), 3), min(shares)) if shares else (None, None)
        ratios = [row["ratio"] for row in found if row["core"] == core and row["ratio"] is not None]
        result.append({
            "core": core, "layers": len(shares), "enough": enough, "median_share": middle, "least": least,
            "median_ratio": round(median(ratios), 3) if ratios else None,
            "least_ratio": min(ratios, default=None), "slower": sum(ratio < 1 for ratio in ratios),
        })  # fmt: skip
    return result


def _dense_like(row: Row) -> bool:
    return str(row["layer"]).startswith("dense")


def _shared(row: Row, known: Sequence[Row]) -> Row:
    ratios = [other["ratio"] for other in known if other["ratio"] and _dense_like(other) == _dense_like(row)]
    middle = median(ratios) if ratios else None
    share = round(row["ratio"] / middle, 3) if middle and row["ratio"] else None
    return {**row, "suite_median": middle, "share": share}
