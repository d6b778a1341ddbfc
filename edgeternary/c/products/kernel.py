"""What the kernels of products share, see `words`: preconditions, cost, template fields."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from edgeternary.c import accumulator
from edgeternary.c.assembly import joined, statements
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products.ways import SUM_BYTES, Way
from edgeternary.c.weights import is_packed
from edgeternary.ir import Value, parse
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense

WIDEST = 255  # of a weight without a sign, and of an input
COPY = 0.5  # of Core.touch, for an element of a window


class Products(Kernel, abstract=True):
    """dense, or conv2d of windows that are gathered pixel by pixel."""

    way: ClassVar[Way]

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = match.ops[0], _reached(match)
        assert isinstance(op, Dense | Conv2d)
        if not self.way.serves(match.core) or is_packed(op.weight_type) or self.reason(match) or x is None:
            return
        if not accumulator.fits(match, op) or WIDEST * WIDEST * op.weights[0].size > INT32_HI:
            return
        run = self.way.runs(op, x)
        if run is None:
            return
        pixels, gathered = _pixels(match), _gathered(op)
        registers, cycles = self.way.best(match.core, op, run)
        cycles = pixels * (cycles + gathered * COPY * match.core.touch) + accumulator.epilogue_cycles(match)
        cost = Cost(cycles, self.way.flash(op, registers) + accumulator.epilogue_flash(match))
        scratch = SUM_BYTES * self.way.padded(op, registers) + gathered
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=scratch)

    def reason(self, match: Match) -> str:
        op, x, way = match.ops[0], _reached(match), self.way
        assert isinstance(op, Dense | Conv2d)
        if not way.serves(match.core) or is_packed(op.weight_type):
            return ""
        if isinstance(op, Conv2d) and op.groups > 1:
            return "channels of several groups are not in one window"
        if x is None:
            return f"inputs are bytes here, not {match.ins[0].type} with {op.weight_type} weights"
        if parse(op.weight_type).bits > way.bits:
            return f"{op.weight_type} weights have more than {way.bits} bits"
        if way.runs(op, x) is None:
            return f"sums of four {op.weight_type} weights on {x.type} outgrow a lane of 16 bits"
        return ""

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, way = match.ops[0], _reached(match), self.way
        assert isinstance(op, Dense | Conv2d) and x is not None
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        run = way.runs(op, x)
        assert run is not None
        registers, _ = way.best(match.core, op, run)
        table = way.table(codes, registers)
        asm = way.routine(registers, x.type, not match.core.thumb1)
        fields = {
            "registers": registers, "w": table, "inputs": codes.shape[1], "outputs": len(codes),
            "padded": way.padded(op, registers), "block": registers * way.lanes, "run": run.inputs,
            "lanes": way.lanes, "excess": way.excess, "e": after.fields, "way": way.name,
            "asm": statements(list(joined(asm))), "gathered": _gathered(op),
            "op": op, "x": match.ins[0], "acc": match.outs[0],
        }  # fmt: skip
        return Body([table, *after.tables], fields)


class DenseProducts(Products, abstract=True):
    """dense in one of the ways."""

    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))


class Conv2dProducts(Products, abstract=True):
    """conv2d in one of the ways."""

    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))


def _reached(match: Match) -> Value | None:
    """The input with the interval that windows have; None for elements that are no bytes, and for groups."""
    op, x = match.ops[0], match.ins[0]
    if x.type.dtype.itemsize != 1:
        return None
    if not isinstance(op, Conv2d):
        return x
    edge, least = op.edge(x), -0x80 if x.type.signed else 0
    if op.groups != 1 or not least <= edge <= least + WIDEST:
        return None
    return replace(x, lo=min(x.lo, edge), hi=max(x.hi, edge))


def _pixels(match: Match) -> int:
    acc = match.outs[0]
    return acc.size // acc.channels


def _gathered(op: Dense | Conv2d) -> int:
    """Elements of a window that are copied; none where the pixel is the window."""
    if isinstance(op, Conv2d) and (op.kernel != (1, 1) or any(op.pad)):
        return op.weights[0].size
    return 0
