"""requantize: a product by shifts and additions, a shift and a clamp."""

from collections.abc import Sequence

import msgspec
import numpy as np
from amaranth import Const

from edgeternary.hdl.builder import Builder, Mask, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.passes.pad import spread
from edgeternary.hdl.streams import whole
from edgeternary.hdl.times import Times, delayed
from edgeternary.ir import Value
from edgeternary.ops import Requantize
from edgeternary_hw.element import Element
from edgeternary_hw.fields import Fields
from edgeternary_hw.requantize import Requantize as Unit
from edgeternary_hw.signed_digits import product_bits, sums

TWO = 32  # shifts from which on tflite_double rounds twice


class RequantizeLayer(Layer[Requantize], Part[Unit]):
    kind = "requantize"
    answers = Answers.ELEMENTWISE
    hardware = Unit
    pads = True

    def build(self, b: Builder, op: Requantize, ins: list[Wire]) -> Wire:
        wire = whole(b, op, ins[0])
        part = unit([op], wire.element, stream_element(b.graph.values[op.name]), wire.lanes)
        b.through(part, wire, op.name)
        return b.output(part, op.name, wire.lanes)

    def lanes(self, op: Requantize, at: Arrival) -> int:
        return at.kept

    def widened(self, op: Requantize, x: Value, y: Value, mask: Mask) -> Requantize:
        fields = {name: spread(getattr(op, name), mask, getattr(op, name)[0]) for name in "mbs"}
        return msgspec.structs.replace(op, **fields)

    def area(self, part: Unit) -> Area:
        p = part
        width, code = len(p.i.payload) // p.lanes, len(p.o.payload) // p.lanes
        factors = [abs(m) for m in p.columns[0]]
        size = width + max(factors).bit_length()
        left = size - p.shift
        shift = max(p.columns[2]).bit_length() * left
        if len(set(p.columns[0])) == 1:
            parts = len(sums(Const(0, 1), factors[0]))
            bias = 0 if len(set(p.columns[1])) == 1 else p.shift
            each = product_bits(width, factors[0]) + (size if parts > 1 else 0) + bias + 3.3 * left + code / 2
            return Area(p.lanes * (each + shift) + 8, p.lanes * ((parts + 1) * size + left + code))
        terms = max(factors).bit_length()
        each = (terms - 1) * size * 1.5 + terms * width / 2 + size + shift + 3 * code
        return Area(p.lanes * each + 8, p.lanes * (width + 2 * size + code))

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        words = Fields(part.columns).words(part.lanes)
        read = (len(set(words)) > 1) * (1 + part.after("table"))
        return delayed(ins, 2 + part.stages + read, last)


def unit(ops: Sequence[Requantize], source: Element, target: Element, count: int) -> Unit:
    """Vectors of one size by the tables of `ops` in turn; these differ in nothing else."""
    first = ops[0]
    clamp = first.lo, first.hi
    return Unit(constants(ops), first.zero, clamp, source, target, lanes=count, twice=twice(ops))


def constants(ops: Sequence[Requantize]) -> tuple[list[int], list[int], list[int]]:
    """m, b and s of all channels of `ops`, such that (x * m + b) >> s rounds as the ops do."""
    m, b, s = (np.concatenate([getattr(op, name) for op in ops]).astype(np.int64) for name in "mbs")
    if ops[0].rounding != "floor":
        b += np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    if doubled := twice(ops):
        b -= np.where(doubled, np.int64(1) << 30, 0)
    return m.tolist(), b.tolist(), s.tolist()


def twice(ops: Sequence[Requantize]) -> list[bool]:
    """Of all channels of `ops`, whether a product that is not negative gets 2^31 besides.

    Of two roundings, the first moves the half of the second by 2^30 away from 0. A shift below 32 is one.
    """
    if ops[0].rounding != "tflite_double":
        return []
    m, s = (np.concatenate([getattr(op, name) for op in ops]) for name in "ms")
    return ((s >= TWO) & (m != 0)).tolist()
