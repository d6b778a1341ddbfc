"""LUTs of layers whose weights are wires, out of the very sums that they are made of.

yosys finds equal sums of equal numbers and builds them once; a sum that only one other reads becomes part of
that one. What is left are sums of two numbers, adders on the carry chain, and sums of more, which full adders
of two LUTs compress: each of them takes one bit away, and a carry chain adds the two numbers that are left.
"""

from dataclasses import dataclass, field

from edgeternary_hw import WiredDense, WiredThreshold

WORTH = 3  # bits of the narrowest sum that is built once: narrower ones are part of the next LUT anyway
Key = tuple[int, int] | tuple[str, int]  # two sums, or ("+" or "-", column)


def dense(part: WiredDense) -> tuple[float, float]:
    """LUTs and flip-flops of a dense layer. Bits that repeat a row's sign are built once."""
    sums = _Sums(part.element.width)
    totals = [sums.row(row) for row in part.weights]
    widths = [width(part, r) for r in range(len(part.weights))]
    luts = sum(map(sums.cost, totals, widths)) + sum(map(sums.shared, range(len(sums.nodes))))
    planes = sum(map(any, zip(*part.weights, strict=True))) * (part.element.kind == "ternary")
    return luts + planes, sum(widths) + 2


def width(part: WiredDense, row: int) -> int:
    """Bits of a row's answer, two's complement."""
    element, weights = part.element, part.weights[row]
    full, minus = (1 << element.width) - 1, weights.count(-1)
    low = part.bias[row] + element.offset * sum(weights) - element.scale * full * minus
    high = low + element.scale * full * (minus + weights.count(1))
    return max(bound.bit_length() if bound >= 0 else (~bound).bit_length() for bound in (low, high)) + 1


@dataclass
class _Node:
    """A number: an input, or the sum of two others."""

    width: int
    operands: tuple[int, int] | None = None
    readers: int = 0


@dataclass
class _Sums:
    """All sums of a layer, equal ones once; inputs have `width` bits."""

    width: int
    nodes: list[_Node] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)

    def row(self, weights: list[int]) -> int:
        """The sum of a row, as a balanced tree; -1 for none."""
        level = [self._number(("+", c), None) for c, w in enumerate(weights) if w == 1]
        level += [self._number(("-", c), None) for c, w in enumerate(weights) if w == -1]
        while len(level) > 1:
            pairs = [self._number((a, b), (a, b)) for a, b in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[len(level) - len(level) % 2 :]
        if not level:
            return -1
        self.nodes[level[0]].readers += 1
        return level[0]

    def _number(self, key: Key, operands: tuple[int, int] | None) -> int:
        if key not in self.known:
            self.known[key] = len(self.nodes)
            width = 1 + max(self.nodes[k].width for k in operands) if operands else self.width
            self.nodes.append(_Node(width, operands))
            for k in operands or ():
                self.nodes[k].readers += 1
        return self.known[key]

    def cost(self, total: int, width: int) -> float:
        """A row's sum and its constant, `width` bits; where others read the sum too, an adder alone."""
        if total < 0:
            return 0.0
        node = self.nodes[total]
        if self._once(node) and node.readers > 1:
            return float(width)
        return 2 * sum(self._bits(total, True)) - node.width + width / 2

    def shared(self, number: int) -> float:
        """A sum that several others read."""
        node = self.nodes[number]
        if not self._once(node) or node.readers < 2:
            return 0.0
        bits = self._bits(number, True)
        return node.width if len(bits) == 2 else 2 * sum(bits) - node.width

    def _once(self, node: _Node) -> bool:
        return node.operands is not None and node.width >= WORTH

    def _bits(self, number: int, root: bool = False) -> list[int]:
        """Widths of the numbers that a sum takes in, with those of sums that it alone reads."""
        node = self.nodes[number]
        if not node.operands or (self._once(node) and node.readers > 1 and not root):
            return [node.width]
        return [width for k in node.operands for width in self._bits(k)]


def threshold(part: WiredThreshold) -> tuple[float, float]:
    """The carry of a comparison needs a LUT to leave its chain; several of them are counted."""
    return float(sum(reached(part))), len(part.o.payload) + 2


def reached(part: WiredThreshold) -> list[int]:
    """Of each channel, the thresholds that are neither always nor never reached."""
    half = 1 << (part.source.width - 1) if part.source.kind == "signed" else 0
    return [sum(0 < t + half < 1 << part.source.width for t in set(row)) for row in part.thresholds]
