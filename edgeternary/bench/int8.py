"""What a layer takes in int8, as published for CMSIS-NN: int8.toml, which says how it was counted."""

import tomllib
from functools import cache
from math import log
from pathlib import Path

import msgspec

from edgeternary.bench.layers import Layer, parse

FILE = Path(__file__).with_name("int8.toml")


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


@cache
def opponent() -> Opponent:
    """The content of int8.toml."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), Opponent)


def per_mac(layer: Layer, core: str) -> tuple[float | None, str]:
    """Instructions per MAC of the published layer that is nearest to `layer`, and its name."""
    layers = opponent().layers
    nearest = min(layers, key=lambda name: _distance(parse(name), layer))
    return layers[nearest].on(core), nearest


def _family(layer: Layer) -> str:
    """Layers whose int8 kernels spend their time alike."""
    if layer.kind in ("dense", "depthwise"):
        return layer.kind
    if layer.kernel == (1, 1):
        return "pointwise"
    return "first" if layer.shape[-1] <= 3 else "conv2d"


def _distance(known: Layer, layer: Layer) -> tuple[bool, float]:
    """Another family is further than anything; then the ratios of inputs and outputs an output."""
    ratios = abs(log(known.taps / layer.taps)) + abs(log(known.out / layer.out))
    return _family(known) != _family(layer), ratios
