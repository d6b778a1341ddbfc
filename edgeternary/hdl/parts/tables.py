"""What the layers of table networks share: bits as numbers of a circuit."""

from collections.abc import Iterable

from edgeternary.ir import Value
from edgeternary_hw import Circuit, Number


def set_bits(circuit: Circuit, x: Iterable[Number]) -> list[int]:
    """The nodes that tell which of some numbers are positive."""
    return [circuit.reached(number, 1) for number in x]


def as_bits(nodes: Iterable[int], y: Value) -> list[Number]:
    """Bits as numbers of the type of y, binary or bipolar."""
    if y.type.name == "bipolar":
        return [Number(((n, 2),), -1) for n in nodes]
    return [Number(((n, 1),)) for n in nodes]
