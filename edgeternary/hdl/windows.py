"""Which part gives windows whose taps come all at once: a ring of rows in memory, or a shift register."""

from edgeternary.hdl.devices import Family
from edgeternary.hdl.memory_costs import WORTH, WORTH_SLOW, block_luts, blocks, logic_luts
from edgeternary.hdl.parts import part_of
from edgeternary.ops.window import Padding, Pair
from edgeternary_hw import LineBuffer, Window


def at_once(
    lane_bits: int, size: Pair, op: tuple[Pair, Pair, Padding], pad_word: int, family: Family
) -> Window | LineBuffer:
    """The cheaper part for the kernel, stride and pad of an op.

    The memory of the ring has a read port for each tap, and every port a copy of the memory; the shift
    register holds each pixel once, but in flip-flops. It gives no pads.
    """
    kernel, stride, pad = op
    ring = Window(lane_bits, size, 1, kernel, stride, pad, pad_word=pad_word, wide=True)
    if any(pad):
        return ring
    line = LineBuffer(lane_bits, size, kernel, stride)
    found = min(line, ring, key=lambda part: cost(part, family))
    other = ring if found is line else line
    other._MustUse__silence = True
    return found


def cost(part: Window | LineBuffer, family: Family) -> float:
    """Logic cells: of LUTs and of flip-flops, as many as a block RAM is worth for each of these."""
    area = part_of(part).area(part)
    luts = area.alone if family.lone_carry and area.alone is not None else area.luts
    if isinstance(part, LineBuffer):
        return luts + area.ffs
    (ring,) = part.memories.values()
    worth = WORTH_SLOW if family.slow_ram else WORTH
    in_blocks = blocks(ring, family) * worth + block_luts(ring, family)
    return luts + area.ffs + min(in_blocks, logic_luts(ring, family))
