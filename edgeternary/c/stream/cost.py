"""Cycles and bytes of the stream kernels on each core, fitted to counts of whole layers."""

from dataclasses import dataclass

from edgeternary.c import accumulator
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Match
from edgeternary.c.stream.lists import AT_ONCE, After, Lists, Shift
from edgeternary.cores import Core


@dataclass(frozen=True)
class Effort:
    """Cycles, of words and rows with two inputs side by side.

    entry   eight additions of words, those of an entry of a list;  skip  an entry that passes over inputs
    output  the two lists of eight sums besides, and what becomes of the sums where that is a shift
    part    the same for each further part of a sum;  plane  for each further plane of digits
    word    one to put into a window, or into the plane of a channel;  row  one of these
    level   a comparison of a sum;  value  anything else than a shift
    """

    entry: float
    output: float
    word: float
    row: float
    level: float
    value: float
    part: float
    plane: float
    skip: float

    def cycles(self, found: Lists, blocks: int, words: int, rows: int, after: After, values: int) -> float:
        """`blocks` of eight words of sums; `words` and `rows` to be made; `values` of the result."""
        outputs = found.sums // found.parts
        lists = self.output * outputs + self.part * (found.sums - outputs)
        lists += self.plane * (len(found.rows) - found.sums) + self.skip * found.skips
        cycles = blocks * (self.entry * found.nonzeros + lists)
        cycles += found.lanes / 2 * (self.word * words + self.row * rows)
        if isinstance(after, Epilogue):
            cycles += (self.value + self.level * after.levels) * values
        return cycles


@dataclass(frozen=True)
class Efforts:
    """windows  of conv2d_stream;  planes  of depthwise_stream

    window_code, plane_code  bytes of what all layers share, without and with a function for whole layers
    """

    windows: Effort
    planes: Effort
    window_code: tuple[int, int] = (700, 950)
    plane_code: tuple[int, int] = (500, 700)


THUMB2 = Efforts(
    Effort(25.6, 250, 10.7, 182, 4.1, 3.9, 190, 75, 21.7), Effort(26.5, 289, 10.9, 48, 4.2, 5.2, 289, 69, 15)
)
EFFORTS = {
    "host": Efforts(Effort(8, 80, 4, 50, 2, 2, 60, 25, 6), Effort(8, 80, 4, 20, 2, 2, 80, 25, 6)),
    "cortex-m0plus": Efforts(
        Effort(26.4, 344, 15.2, 254, 8.9, 2.2, 277, 103, 17.8),
        Effort(26.1, 320, 15.1, 114, 7.3, 6.4, 320, 98, 15),
        (850, 1050),
        (700, 850),
    ),
    "cortex-m3": THUMB2,
    "cortex-m7": Efforts(
        Effort(16, 150, 6.5, 110, 2.5, 2.4, 115, 45, 13), Effort(16, 175, 6.5, 30, 2.5, 3.2, 175, 42, 9)
    ),
    "cortex-m55": Efforts(
        Effort(16, 156, 6.7, 114, 2.6, 2.4, 120, 47, 13), Effort(16.6, 181, 6.8, 30, 2.6, 3.3, 181, 43, 9)
    ),
}
OWN, DESCRIPTION = 300, 100  # bytes of a layer's function, and of a description for that of all layers


def rescaled(match: Match, after: After, values: int) -> float:
    """Cycles of a requantize that multiplies, for `values` of the result."""
    return accumulator.rescaled_cycles(match) * values if isinstance(after, Epilogue) else 0


def efforts(core: Core) -> Efforts:
    return core.figures(EFFORTS)


def blocks(words: int) -> int:
    return -(-words // AT_ONCE)


def size(after: After, lists: int) -> int:
    """Bytes of a layer with `lists` bytes of lists."""
    return lists + after.bytes + (DESCRIPTION if isinstance(after, Shift) else OWN)


def once(after: After, code: tuple[int, int]) -> int:
    """Bytes that all layers share, of window_code or plane_code."""
    return code[isinstance(after, Shift)]
