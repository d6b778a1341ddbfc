"""requantize: shifts are wires, a product is a few adders."""

from edgeternary.hdl.part import WiredLayer
from edgeternary.hdl.parts.requantize import constants, twice
from edgeternary.ir import Value
from edgeternary.ops import Requantize
from edgeternary_hw import Circuit, Number
from edgeternary_hw.circuit import total


class WiredRequantizeLayer(WiredLayer[Requantize]):
    kind = "requantize"

    def nodes(self, circuit: Circuit, op: Requantize, x: list[Number], y: Value) -> list[Number]:
        """clamp(((x * m + b) >> s) + zero); of two roundings, a product not below 0 gets 2^31."""
        rows = list(zip(*constants([op]), twice([op]) or [False] * len(op.m), strict=True))
        return [_rescaled(circuit, number, op, rows[k % len(rows)]) for k, number in enumerate(x)]


def _rescaled(circuit: Circuit, x: Number, op: Requantize, row: tuple[int, int, int, bool]) -> Number:
    m, b, s, rounds_twice = row
    value = total([(m, x)], b)
    if rounds_twice:
        below = circuit.reached(x, 0 if m > 0 else 1)
        positive = below if m > 0 else circuit.invert(below)
        value = total([(1, value), (1 << 31, Number(((positive, 1),)))])
    n = circuit.shift(circuit.node(value), s)
    return Number(((circuit.clamp(n, op.lo - op.zero, op.hi - op.zero), 1),), op.zero)
