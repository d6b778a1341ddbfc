"""What the nodes of a circuit cost on a fabric, and how long they take."""

from collections.abc import Iterable
from dataclasses import dataclass

from .circuit import Circuit, Node

__all__ = ["FABRICS", "Fabric"]

WIRES = ("input", "const", "bit", "shift")


@dataclass(frozen=True)
class Fabric:
    """LUTs of `inputs` pins with carry chains.

    level, carry  ns of a LUT with the wires to the next one, and of a bit of a carry chain
    start         ns of a register: from the clock to its output and before the next edge
    pair          bits of an adder in a carry cell, each of which counts as that many LUTs; 1: a LUT a bit,
                  and the last carry takes none
    inverts       a number that is subtracted takes LUTs to invert it, where it is needed both ways
    """

    name: str
    inputs: int
    level: float
    carry: float
    start: float
    pair: int = 1
    inverts: bool = False
    least_chain: int = 2

    def delay(self, circuit: Circuit, index: int) -> float:
        """ns from the arguments of a node to its value."""
        node = circuit.nodes[index]
        if node.kind in WIRES or circuit.beside(node):
            return 0.0
        if node.kind == "clamp":
            return 2 * self.level
        if node.kind in ("table", "select"):
            return self.level * (1 if len(node.args) <= self.inputs else 2)
        if node.kind == "count":
            return self._count_levels(len(node.args)) * self.level
        bits = max(circuit.nodes[a].width for a in node.args)
        if node.kind == "ge" and bits <= self.inputs and circuit.nodes[node.args[1]].kind == "const":
            return self.level
        return self.level + self.carry * bits

    def luts(self, circuit: Circuit, live: Iterable[int]) -> float:
        """LUTs of some nodes, as many as synthesis leaves."""
        kept = list(live)
        return sum(self._own(circuit, circuit.nodes[n]) for n in kept) + self._inverters(circuit, kept)

    def _own(self, circuit: Circuit, node: Node) -> float:
        if node.kind in WIRES or circuit.beside(node):
            return 0.0
        if node.kind == "table":
            return float(len(node.args) > 1) if len(node.args) <= self.inputs else 2.0 ** (len(node.args) - 4)
        if node.kind == "select":
            return float(node.width)
        if node.kind == "clamp":
            return 0.8 * node.width + 2
        if node.kind == "count":
            return (1.0 if self.pair == 1 else 2.0) * (len(node.args) - 1)
        if node.kind == "add":
            return self._cells(self._sum_bits(circuit, node))
        a, b = (circuit.nodes[n] for n in node.args)
        if b.kind == "const" and (self.pair == 1 or a.width <= self.inputs):
            return 0.3 if a.width > self.inputs else 1.0
        return 0.0 if self.pair == 1 else self._cells(max(a.width, b.width)) + 1.0

    def _sum_bits(self, circuit: Circuit, node: Node) -> int:
        """Bits of a sum to which both operands contribute, or a carry; the last carry is none of them."""
        (sa, sb, minus), (a, b, *carry) = node.data, (circuit.nodes[n] for n in node.args)
        free = max(sa, 0 if minus else sb) if not carry else 0
        bits = node.width - free
        if self.pair == 1 and not minus and not a.signed and not b.signed:
            bits = max(a.width + sa, b.width + sb) - free
        return max(bits, 1)

    def sum_luts(self, width: int, bits: int, carry: int) -> float:
        """LUTs of the sum of two numbers of at most `width` bits, which has `bits`, with a carry or none, as
        far as it keeps other LUTs from being placed there."""
        if bits + carry <= self.least_chain:
            return 2.0 * width
        if self.inputs > 4:  # the last carry takes none
            return width + 0.5 * carry
        return float(-(-(bits + carry) // self.pair) * self.pair)

    def _cells(self, bits: int) -> float:
        return float(bits) if self.pair == 1 else float((bits // 2 + 1) * 2)

    def _inverters(self, circuit: Circuit, live: list[int]) -> float:
        """A sum gives its own inverse for nothing, where nobody reads itself, but for its last carry."""
        if not self.inverts:
            return 0.0
        plain: set[int] = set()
        inverse: set[int] = set()
        for n in live:
            node = circuit.nodes[n]
            if node.kind == "ge" or (node.kind == "add" and node.data[2]):
                plain.add(node.args[0])
                inverse.update(node.args[1:])
            else:
                plain.update(node.args)
        found = 0
        for n in inverse:
            node = circuit.nodes[n]
            if node.kind != "const" and node.kind != "table":
                found += node.width if n in plain or node.kind in WIRES else int(not node.signed)
        return float(found)

    def _count_levels(self, bits: int) -> int:
        levels = 1
        while bits > 3:
            bits, levels = -(-2 * bits // 3), levels + 1
        return levels


FABRICS = {
    "ice40": Fabric("ice40", 4, 1.1, 0.13, 1.1, inverts=True),
    "ecp5": Fabric("ecp5", 4, 0.9, 0.06, 0.9, pair=2, least_chain=4),
    "gowin": Fabric("gowin", 4, 1.2, 0.06, 1.2),
    "xc7": Fabric("xc7", 6, 0.7, 0.03, 0.6),
}
