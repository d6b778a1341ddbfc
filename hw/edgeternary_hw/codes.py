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
    if element.kind == "ternary":
        return Number(((circuit.input(first, 1), 1), (circuit.input(first + 1, 1), -1)))
    return Number(((circuit.input(first, element.width, element.kind == "signed"), 1),))


def coded(circuit: Circuit, value: Number, element: Element) -> list[tuple[int, int]]:
    """The code of a number that is known to be in range: (node, bits), those of the low bits first."""
    if element.kind == "bipolar":
        return [(circuit.reached(value, 1), 1)]
    if element.kind == "ternary":
        signs = {c: n for n, c in value.terms}
        if len(value.terms) == 2 and sorted(signs) == [-1, 1] and not value.constant:
            p, n = signs[1], signs[-1]
            if _apart(circuit, p, n):
                return [(p, 1), (n, 1)]
        return [(circuit.reached(value, 1), 1), (circuit.invert(circuit.reached(value, 0)), 1)]
    return [(circuit.node(value), element.width)]


def _apart(circuit: Circuit, p: int, n: int) -> bool:
    """Whether two bits are never set together: both planes of one code, or one limit that is reached and
    a lower one that is not."""
    x, y = circuit.nodes[p], circuit.nodes[n]
    if x.kind == y.kind == "input":
        return y.data[0] == x.data[0] + 1
    if x.kind != "ge" or y.kind != "table" or y.data != (1,):
        return False
    other = circuit.nodes[y.args[0]]
    limits = [circuit.nodes[node.args[1]] for node in (x, other)]
    return other.kind == "ge" and other.args[0] == x.args[0] and limits[0].lo >= limits[1].hi
