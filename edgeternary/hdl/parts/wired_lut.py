"""lut: each table is a node, its wiring are wires."""

from edgeternary.hdl.part import WiredLayer
from edgeternary.hdl.parts.tables import as_bits, set_bits
from edgeternary.ir import Value
from edgeternary.ops import Lut
from edgeternary_hw import Circuit, Number


class WiredLutLayer(WiredLayer[Lut]):
    kind = "lut"

    def nodes(self, circuit: Circuit, op: Lut, x: list[Number], y: Value) -> list[Number]:
        """Of one window, or of all pixels where windows are pixels; hdl.passes.unroll has left no others."""
        bits = set_bits(circuit, x)
        size = len(bits) // (y.size // y.channels)
        wiring, tables = op.all_pins()
        rows = [
            (pins, sum(1 << a for a, entry in enumerate(table) if entry > 0))
            for pins, table in zip(wiring.tolist(), tables.tolist(), strict=True)
        ]
        found = [
            circuit.table([bits[window + pin] for pin in pins], table)
            for window in range(0, len(bits), size)
            for pins, table in rows
        ]
        return as_bits(found, y)
