"""Published opponents of whole networks and designs: the .toml files of this folder."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edgeternary.bench import int8

FOLDER = Path(__file__).parent
T = TypeVar("T")


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Instructions of one inference by core, or the layers of int8.toml that they are the sum of."""

    instructions: dict[str, float] = {}
    layers: tuple[str, ...] = ()

    def on(self, core: str) -> float | None:
        """None for a core that nothing was published for."""
        if not self.layers:
            return self.instructions.get(core)
        known = [int8.opponent().layers[name] for name in self.layers]
        parts = [(layer.on(core), layer.weights) for layer in known]
        return sum(each * weights for each, weights in parts if each) if parts[0][0] else None


class Networks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    networks: dict[str, Network]


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """layers: {name: {core: (instructions, modelled cycles)}};  networks: {name: its layers}"""

    layers: dict[str, dict[str, tuple[int, int]]]
    networks: dict[str, tuple[str, ...]]


class Design(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a paper or a report: LUT6 by the vendor's tools, accuracy in percent, where it stands.

    encoder  inside or outside of what was counted, or none
    latency  as the authors write it, "" where they do not
    """

    name: str
    data: str
    luts: int
    accuracy: float
    encoder: str
    source: str
    latency: str = ""


class Designs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    designs: tuple[Design, ...]


@cache
def networks() -> dict[str, Network]:
    """{name of a network of the suite: what CMSIS-NN takes for it}."""
    return _read("int8_networks", Networks).networks


def counted(network: str, core: str) -> tuple[int, int] | None:
    """(instructions, modelled cycles) of the layers of a network of the zoo in CMSIS-NN int8."""
    found = _counted()
    layers = [found.layers[name].get(core) for name in found.networks.get(network, ())]
    known = [layer for layer in layers if layer is not None]
    if not layers or len(known) < len(layers):
        return None
    return sum(layer[0] for layer in known), sum(layer[1] for layer in known)


@cache
def _counted() -> Counted:
    return _read("int8_layers", Counted)


@cache
def designs() -> tuple[Design, ...]:
    """Networks on FPGAs, see league.toml."""
    return _read("league", Designs).designs


def _read(name: str, kind: type[T]) -> T:
    content: Any = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return msgspec.convert(content, kind)
