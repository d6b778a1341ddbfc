"""threshold: compared with all thresholds at once where there are few, else by binary search."""

import msgspec
import numpy as np

from edgeternary.hdl.builder import Builder, Mask, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.passes.pad import near_zero, spread
from edgeternary.hdl.streams import whole
from edgeternary.hdl.times import Times, spaced
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Threshold
from edgeternary_hw.threshold import Threshold as Unit

PARALLEL = 3  # thresholds that are compared side by side


class ThresholdLayer(Layer[Threshold], Part[Unit]):
    kind = "threshold"
    answers = Answers.ELEMENTWISE
    hardware = Unit
    pads = True

    def build(self, b: Builder, op: Threshold, ins: list[Wire]) -> Wire:
        """With one comparator where the pace allows it, with one for each bit of the count where not."""
        t = op.t.astype(np.int64)
        wire = whole(b, op, ins[0], t.shape[1] * ins[0].element.width)
        if wire.affine:
            t = wire.affine.limits(t)
        levels = int(t.shape[1]).bit_length()
        beats = wire.value.size // wire.lanes
        mode = "parallel" if t.shape[1] <= PARALLEL else "tree"
        kept = b.folding.kept
        if t.shape[1] > 1 and beats * ((2 + kept) * levels + 2) <= b.folding.cycles:
            mode = "serial"
        part = Unit(
            t.tolist(),
            op.base.tolist(),
            op.step.tolist(),
            wire.element,
            stream_element(b.graph.values[op.name]),
            lanes=wire.lanes,
            mode=mode,
            kept=kept and mode == "serial",
        )
        b.through(part, wire, op.name, busy=beats * part.interval)
        return b.output(part, op.name, wire.lanes)

    def lanes(self, op: Threshold, at: Arrival) -> int:
        return at.kept

    def widened(self, op: Threshold, x: Value, y: Value, mask: Mask) -> Threshold:
        """Channels that reach no threshold, of a kind (base, step) that is there already, if one can be."""
        legal = np.flatnonzero((op.base >= y.lo) & (op.base <= y.hi))
        base, step = (op.base[legal[0]], op.step[legal[0]]) if legal.size else (near_zero(y), 0)
        return msgspec.structs.replace(
            op,
            t=spread(op.t, mask, min(x.hi + 1, INT32_HI)),
            base=spread(op.base, mask, base),
            step=spread(op.step, mask, step),
        )

    def area(self, part: Unit) -> Area:
        p = part
        width, code = len(p.i.payload) // p.lanes, len(p.o.payload) // p.lanes
        count = len(p.thresholds[0])
        kinds = len(p.kinds) * code if len(p.kinds) > 1 else 0
        if p.mode == "parallel":
            each = count * (width + 1) + (2 * count if count > 1 else 1) + kinds
            return Area(p.lanes * each + 8, p.lanes * (width + count + code))
        if p.mode == "tree":
            luts = p.lanes * (p.levels * (width + 2) + kinds) + 10
            return Area(luts, p.lanes * 2 * p.levels * (width + p.levels))
        return Area(p.lanes * (width + 3 * p.levels + kinds) + 20, p.lanes * (width + p.levels) + 20)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        if part.mode == "serial":
            return spaced(ins[0] + (2 + part.kept) * part.levels + 1, part.interval, last)
        if part.mode == "tree":
            stages = 2 * part.levels + part.kept_levels
        else:
            stages = 2 + ("table" in part.memories) * (1 + part.after("table"))
        return spaced(ins[0] + stages, 1, last)
