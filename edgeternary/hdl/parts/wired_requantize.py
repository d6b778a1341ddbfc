"""requantize in one clock: shifts are wires, a product is a few adders."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Area
from edgeternary.hdl.parts.requantize import constants, twice
from edgeternary.hdl.wired import WiredLayer
from edgeternary.ops import Requantize
from edgeternary_hw.element import Element, signed_bits
from edgeternary_hw.signed_digits import product_bits
from edgeternary_hw.wired_requantize import WiredRequantize


class WiredRequantizeLayer(WiredLayer[Requantize, WiredRequantize]):
    kind = "requantize"
    hardware = WiredRequantize

    def build(self, b: Builder, op: Requantize, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], ins[0].value.channels, op.name)
        target = stream_element(b.graph.values[op.name])
        clamp = op.lo, op.hi
        part = WiredRequantize(constants([op]), op.zero, clamp, wire.element, target, twice([op]))
        b.through(part, wire, op.name)
        return b.output(part, op.name, wire.lanes)

    def area(self, part: WiredRequantize) -> Area:
        """Of each channel the adders of its product, those of its bias (where carries of the bits that the
        shift drops take 0.3 LUTs each) and of the zero point, and a clamp (0.8 a bit) where it is reached."""
        low, high = part.bounds
        luts = 0.0
        for m, b, s in zip(*part.columns, strict=True):
            ends = sorted((x * m + b >> s) + part.zero for x in _interval(part.source))
            bits = max(map(signed_bits, ends))
            dropped = 0.3 * s * (abs(m) & (abs(m) - 1) != 0)
            clamp = 0.8 * part.target.width * (ends[0] < low or ends[1] > high)
            luts += product_bits(part.source.width, m) + (bits + dropped) * (b != 0) + bits * (part.zero != 0)
            luts += clamp
        return Area(luts, len(part.o.payload) + 2)


def _interval(source: Element) -> tuple[int, int]:
    """The smallest and the largest number of an encoding."""
    if source.kind in ("bipolar", "ternary"):
        return -1, 1
    half = 1 << source.width - 1 if source.kind == "signed" else 0
    return -half, (1 << source.width) - 1 - half
