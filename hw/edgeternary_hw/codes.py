"""The numbers of a beat as Numbers of a circuit, and Numbers as the codes of a beat."""

from .circuit import Circuit, Number
from .element import Element

__all__ = ["coded", "received"]


def received(circuit: Circuit, element: Element, count: int) -> list[Number]:
    """The `count` channels of a payload."""
    return [_received(circuit, element, k * element.width) for k in range(count)]


def _received(circuit: Circuit, element: Element, first: int) -> Number:
    if element.kind == "bipolar":
        return Number(((circuit.input(first, 1), 2),), -1)
    if element.kind == "ternary":  # x + 1 is 2 p, and 1 where neither is set
        p, n = circuit.input(first, 1), circuit.input(first + 1, 1)
        return Number(((circuit.word((circuit.table((p, n), 1), p), hi=2), 1),), -1)
    return Number(((circuit.input(first, element.width, element.kind == "signed"), 1),))


def coded(circuit: Circuit, value: Number, element: Element) -> list[tuple[int, int]]:
    """The code of a number that is known to be in range: (node, bits), those of the low bits first."""
    if element.kind == "bipolar":
        return [(circuit.reached(value, 1), 1)]
    if element.kind == "ternary":
        return [(circuit.reached(value, 1), 1), (circuit.invert(circuit.reached(value, 0)), 1)]
    return [(circuit.node(value), element.width)]
