"""compare with constants that are wires: a few small tables for each, shared where they are equal."""

from edgeternary.hdl.part import WiredLayer
from edgeternary.hdl.parts.tables import as_bits
from edgeternary.ir import Value
from edgeternary.ops import Compare
from edgeternary_hw import Circuit, Number

PINS = 6  # of a table; synthesis cuts it where LUTs are smaller


class WiredCompareLayer(WiredLayer[Compare]):
    kind = "compare"

    def nodes(self, circuit: Circuit, op: Compare, x: list[Number], y: Value) -> list[Number]:
        channels = len(x) // (y.size // y.channels)
        pairs = list(zip(op.source.tolist(), op.t.tolist(), strict=True))
        reached = [
            at_least(circuit, x[pixel + channel], t)
            for pixel in range(0, len(x), channels)
            for channel, t in pairs
        ]
        return as_bits(reached, y)


def at_least(circuit: Circuit, x: Number, t: int) -> int:
    """The bit x >= t: of a plain unsigned number a chain of tables, from the lowest bit that counts."""
    lo, hi = circuit.interval(x)
    if lo >= t or hi < t or len(x.terms) != 1 or x.terms[0][1] != 1 or x.constant or lo < 0:
        return circuit.reached(x, t)
    node = x.terms[0][0]
    first = (t & -t).bit_length() - 1
    places = list(range(first, circuit.nodes[node].width))
    found, pins = -1, PINS
    while places:
        now, places = places[:pins], places[pins:]
        bits = [circuit.bit(node, k) for k in now]
        part = sum((t >> k & 1) << j for j, k in enumerate(now))
        rows = range(1 << len(now))
        table = sum(1 << row for row in rows if row >= part + (found >= 0))
        if found >= 0:  # or equal here, and the bits below reach it
            table |= 1 << (part + (1 << len(now)))
            table |= sum(1 << (row + (1 << len(now))) for row in rows if row > part)
            bits.append(found)
        found, pins = circuit.table(bits, table), PINS - 1
    return found
