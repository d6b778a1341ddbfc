"""What a layer takes in CMSIS-NN int8.

int8.toml has published figures of ten layers, int8_fits.toml formulas for layers of any shape; both say how
they were counted.
"""

import tomllib
from functools import cache
from math import log
from pathlib import Path

import msgspec

from edgeternary.bench.int8_terms import counts, family
from edgeternary.bench.layers import Layer, parse

FILE = Path(__file__).with_name("int8.toml")
FITTED = "fitted to CMSIS-NN"
FEW_CHANNELS = 3  # of a first layer


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Instructions of one multiply-accumulate by core, and the number of weights (a byte each)."""

    m0plus: float
    m3: float
    m4: float
    m7: float
    m55: float
    weights: int

    def on(self, core: str) -> float | None:
        """None for a core that nothing was published for."""
        value: float | None = getattr(self, core.removeprefix("cortex-"), None)
        return value


class Opponent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: where the figures come from, and layers as `bench --layer` takes them."""

    source: str
    layers: dict[str, Published]


CORES = tuple(f"cortex-{name}" for name in Published.__struct_fields__[:-1])


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Coefficients of `terms`, by core."""

    terms: tuple[str, ...]
    instructions: dict[str, tuple[float, ...]]
    cycles: dict[str, tuple[float, ...]]


class Fits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """{family of layers: its fit}"""

    fits: dict[str, Fit]


@cache
def opponent() -> Opponent:
    """The content of int8.toml."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Opponent)


@cache
def fits() -> dict[str, Fit]:
    """The content of int8_fits.toml."""
    file = FILE.with_name("int8_fits.toml")
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Fits).fits


def fitted(layer: Layer, core: str, what: str = "instructions") -> float | None:
    """Instructions or `cycles` of the whole layer in CMSIS-NN by the fit; None for a core without one."""
    fit = fits()[family(layer)]
    coefficients = getattr(fit, what).get(core)
    if coefficients is None:
        return None
    found = counts(layer)
    return float(sum(c * found[term] for c, term in zip(coefficients, fit.terms, strict=True)))


def per_mac(layer: Layer, core: str) -> tuple[float | None, str]:
    """Instructions of CMSIS-NN for each MAC, and where the figure comes from.

    A published layer has its own figure. Others have that of the fit, or on a core without one that of the
    published layer of the same kind that is nearest by inputs and outputs.
    """
    layers = opponent().layers
    if layer.name in layers and (known := layers[layer.name].on(core)):
        return known, layer.name
    total = fitted(layer, core)
    if total is not None:
        return total / layer.macs, FITTED
    nearest = min(layers, key=lambda name: _distance(parse(name), layer))
    return layers[nearest].on(core), nearest


def _distance(known: Layer, layer: Layer) -> tuple[bool, float]:
    """Another kind is further than anything; then the ratios of inputs and outputs an output."""
    ratios = abs(log(known.taps / layer.taps)) + abs(log(known.out / layer.out))
    return _kind(known) != _kind(layer), ratios


def _kind(layer: Layer) -> str:
    """Layers whose int8 kernels spend their time alike."""
    if layer.kind in ("dense", "depthwise"):
        return layer.kind
    if layer.kernel == (1, 1):
        return "pointwise"
    return "first" if layer.shape[-1] <= FEW_CHANNELS else "conv2d"
