"""What the nodes of a circuit cost on a fabric, and how long they take."""

from collections.abc import Iterable
from dataclasses import dataclass

from .circuit import Circuit, Node

__all__ = ["FABRICS", "Fabric"]

FAN = 8
WIRES = ("input", "const", "word", "bit", "shift")


@dataclass(frozen=True)
class Fabric:
    """LUTs of `inputs` pins with carry chains.

    level, carry  ns of a LUT with the wires to the next one, and of a bit of a carry chain
    chain, last   ns more than a LUT takes: into a carry chain and out of a sum; from the last carry to a LUT
    start         ns of a register: from the clock to its output and before the next edge
    far           ns more on the wire of a number that FAN nodes or more read, since these lie apart
    pair          bits of an adder in a carry cell, each of which counts as that many LUTs; 1: a LUT a bit,
                  and the last carry takes none
    tallies       a LUT of a carry chain holds a table of all pins but one beside the sum
    even          stages are of equal length, which leaves a placer room; else they take fewer flip-flops
    inverts       a number that is subtracted takes LUTs to invert it, where it is needed both ways
    """

    name: str
    inputs: int
    level: float
    carry: float
    start: float
    chain: float = 0.0
    last: float = 0.0
    far: float = 0.0
    pair: int = 1
    even: bool = True
    inverts: bool = False
    tallies: bool = False
    least_chain: int = 2

    def delays(self, circuit: Circuit, live: Iterable[int]) -> dict[int, float]:
        """ns from the arguments of each of some nodes to its value, the wires to it included."""
        kept = list(live)
        readers: dict[int, int] = {}
        for n in kept:
            for a in set(circuit.nodes[n].args):
                readers[a] = readers.get(a, 0) + 1
        many = {n for n, count in readers.items() if count >= FAN}
        return {
            n: self.delay(circuit, n) + self.far * (not many.isdisjoint(circuit.nodes[n].args)) for n in kept
        }

    def delay(self, circuit: Circuit, index: int) -> float:
        """ns from the arguments of a node to its value, where few others read them."""
        node = circuit.nodes[index]
        if node.kind in WIRES:
            return 0.0
        if node.kind == "clamp":
            return 2 * self.level
        if node.kind in ("table", "select"):
            return self.level * (1 if len(node.args) <= self.inputs else 2)
        if node.kind == "count":
            return self._count_levels(len(node.args)) * self.level
        bits = max(circuit.nodes[a].width for a in node.args)
        if node.kind == "tally":
            return self.level + self.carry * node.width
        if node.kind == "ge" and bits <= self.inputs and circuit.nodes[node.args[1]].kind == "const":
            return self.level
        out = self.last if node.kind == "ge" else 0.0
        return self.level + self.chain + self.carry * bits + out

    def adder(self, bits: int) -> float:
        """LUTs of a sum of two numbers of `bits` bits, and a carry."""
        return float(bits) if self.pair == 1 else 2.0 * ((bits + 3) // 2) if bits > 2 else 2.0 * bits

    def luts(self, circuit: Circuit, live: Iterable[int]) -> float:
        """LUTs of some nodes, as many as synthesis leaves."""
        kept = list(live)
        used = _Uses(circuit, kept)
        found = sum(self._own(circuit, circuit.nodes[n], used.dropped.get(n, 0)) for n in kept)
        return found + used.inverters(circuit, self.inverts)

    def carries(self, circuit: Circuit, live: Iterable[int]) -> int:
        """Places of carry chains of some nodes without a LUT, where a carry is beside a LUT: a bit that comes
        in, the last carry, and all bits of a comparison."""
        found = 0
        for node in (circuit.nodes[n] for n in live):
            if node.kind == "add" and not full(circuit, node) and not beside(circuit, node):
                found += (len(node.args) > 2) + (not node.signed and not node.data[2])
            elif node.kind == "ge" and circuit.nodes[node.args[1]].kind != "const":
                found += 1 + max(circuit.nodes[a].width for a in node.args)
        return found

    def _own(self, circuit: Circuit, node: Node, dropped: int) -> float:
        """dropped: low bits that nobody reads."""
        if node.kind in WIRES:
            return 0.0
        if node.kind == "table":
            return float(len(node.args) > 1) if len(node.args) <= self.inputs else 2.0 ** (len(node.args) - 4)
        if node.kind == "select":
            return float(node.width)
        if node.kind == "clamp":
            x = circuit.nodes[node.args[0]]  # half of it for each end that is out of reach
            return (0.4 * node.width + 1) * ((x.lo < node.lo) + (x.hi > node.hi))
        if node.kind == "count":
            return (1.0 if self.pair == 1 else 2.0) * (len(node.args) - 1)
        if node.kind == "tally":
            return float((len(node.args) - 2).bit_length())
        if node.kind == "add" and beside(circuit, node):
            return 0.0
        if node.kind == "add":
            return 2.0 if full(circuit, node) else self._cells(self._sum_bits(circuit, node, dropped))
        a, b = (circuit.nodes[n] for n in node.args)
        if b.kind == "const" and (self.pair == 1 or a.width <= self.inputs):
            return 0.3 if a.width > self.inputs else 1.0
        bits = max(a.width, b.width)
        if self.pair > 1 and bits <= self.least_chain:  # too short for a carry chain
            return float(bits)
        return 0.0 if self.pair == 1 else self._cells(bits)

    def _sum_bits(self, circuit: Circuit, node: Node, dropped: int) -> int:
        """Bits of a sum to which both operands contribute, or a carry; the last carry is none of them. On
        four-input LUTs the bits above the narrower operand take LUTs, too."""
        (sa, sb, minus), (a, b, *carry) = node.data, (circuit.nodes[n] for n in node.args)
        free = 0 if carry else max(sa, sb)
        if b.kind == "const" and not sa:
            free = max(free, (b.lo & -b.lo).bit_length() - 1 + sb)
        bits = node.width
        if self.pair == 1 and not minus and not a.signed and not b.signed:
            bits = (min if self.inputs > 4 else max)(a.width + sa, b.width + sb)
        return max(bits - (max(free, dropped) if self.pair == 1 else free), 1)

    def sum_luts(self, width: int, bits: int, carry: int) -> float:
        """LUTs of the sum of two numbers of at most `width` bits, which has `bits`, with a carry or none, as
        far as it keeps other LUTs from being placed there."""
        if bits + carry <= self.least_chain:
            return 2.0 * width
        if self.inputs > 4:  # the last carry takes none
            return width + 0.5 * carry
        return float(-(-(bits + carry) // self.pair) * self.pair)

    def tally_luts(self, width: int, bits: int) -> float:
        """LUTs of a number of `width` bits plus how many of some bits are set: a place of a carry chain for
        each bit, with a table in it. Synthesis counts none where the number's bit is alone."""
        return float(max(width, (bits - 1).bit_length()))

    def _cells(self, bits: int) -> float:
        """LUTs of a sum of some bits: carry cells, but for the narrowest ones."""
        return float(bits) if self.pair == 1 else 2.0 * ((bits + 2) // 2)

    def _count_levels(self, bits: int) -> int:
        levels = 1
        while bits > 3:
            bits, levels = -(-2 * bits // 3), levels + 1
        return levels


def full(circuit: Circuit, node: Node) -> bool:
    """Whether a sum is that of two or three bits, which takes no carry chain."""
    bits = all((circuit.nodes[n].lo, circuit.nodes[n].width) == (0, 1) for n in node.args)
    return node.kind == "add" and node.data == (0, 0, 0) and bits


def beside(circuit: Circuit, node: Node) -> bool:
    """Whether the bits of a sum are those of its operands side by side, so that it takes no adder."""
    sa, sb, minus = node.data
    a, b, *carry = (circuit.nodes[n] for n in node.args)
    apart = (a.lo >= 0 and a.width + sa <= sb) or (b.lo >= 0 and b.width + sb <= sa)
    return not minus and not carry and apart


class _Uses:
    """How the live nodes of a circuit are read.

    dropped  by node, the low bits that none of its readers takes
    plain, inverse  nodes that carry chains read as they are, and that they subtract
    """

    def __init__(self, circuit: Circuit, live: list[int]) -> None:
        self.dropped: dict[int, int] = {}
        self.plain: set[int] = set()
        self.inverse: set[int] = set()
        for n in live:
            node = circuit.nodes[n]
            for a in node.args:
                kept = node.data[0] if node.kind == "shift" else 0
                self.dropped[a] = min(self.dropped.get(a, kept), kept)
            if node.kind == "ge" or (node.kind == "add" and node.data[2]):
                self.plain.add(node.args[0])
                self.inverse.update(node.args[1:])
            elif not full(circuit, node):
                self.plain.update(node.args)

    def inverters(self, circuit: Circuit, subtracts: bool) -> float:
        """LUTs that invert: bits in front of a carry chain; where `subtracts`, also what is subtracted. A sum
        gives its own inverse for nothing, where nobody reads itself, but for its last carry."""
        found = 0
        for n in self.plain if subtracts else ():
            found += circuit.nodes[n].kind == "table" and len(circuit.nodes[n].args) == 1
        for n in self.inverse if subtracts else ():
            node = circuit.nodes[n]
            if node.kind not in ("const", "table"):
                found += node.width if n in self.plain or node.kind in WIRES else int(not node.signed)
        return float(found)


FABRICS = {
    "ice40": Fabric("ice40", 4, 1.1, 0.13, 1.1, chain=0.4, last=0.9, inverts=True),
    "ecp5": Fabric("ecp5", 4, 1.3, 0.04, 1.0, chain=1.1, last=0.2, far=2.5, pair=2, least_chain=4),
    "gowin": Fabric("gowin", 4, 1.2, 0.06, 1.2),
    "xc7": Fabric("xc7", 6, 0.7, 0.03, 0.6, even=False, tallies=True),
}
