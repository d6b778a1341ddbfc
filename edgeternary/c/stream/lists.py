"""Weights as a stream of gaps: which inputs an output adds, a nibble for each digit that is not 0.

A ternary output is two lists, of the weights -1 and of the weights +1, and its sum is

    bias - (sum of the first list) + (sum of the second list)

so that everything is an addition. The bias, minus the smallest sum of the layer, keeps lanes from being
negative. Weights of more bits are sums of signed digits, see `lanes/digits`: each plane of digits has two
such lists, the highest plane comes first, and what was summed is doubled from one plane to the next (Horner's
rule).

An entry is the distance from the entry before, the first one from -1: 1..14; 15 passes over 14 inputs; 0 ends
a list. Entries are nibbles, the high one of a byte first, and each list starts with a byte of its own.

Words are added, each with a pixel in each of its lanes, and a sum may wrap on its way: arithmetic is modular,
so that only the interval of the whole sum has to fit: lo * p - hi * n to hi * p - lo * n, where p and n are
the sums of the positive and of the negative weights' magnitudes. A sum that does not fit is cut into parts
of fewer planes or fewer inputs, outputs of their own, put together when they are out of their lanes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.c import epilogue, weights
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Body, Match
from edgeternary.c.lanes.digits import planes
from edgeternary.c.layouts import NATURAL, lane_bits, lane_ones
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.tables import Table
from edgeternary.cores import Core
from edgeternary.ir import IntArray, Op, Type, Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Conv2d, Requantize
from edgeternary.passes.affine import Affine

AT_ONCE = 8  # words that one entry of a list adds to as many sums
SKIP, SKIPPED = 15, 14
MAX_PARTS = 4
LANES = (4, 2)

Digits = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lists:
    """For each output, each part of it, and each plane of that, positions of the digits -1 and of those +1.

    lanes   of a word
    shifts  of the parts of a sum, which is the sum over its parts of part << shift;  planes  of a part
    bias    of a part;  top  the largest that a lane holds at the end
    """

    rows: tuple[tuple[IntArray, IntArray], ...]
    lanes: int
    shifts: tuple[int, ...]
    planes: int
    bias: int
    top: int

    @property
    def parts(self) -> int:
        return len(self.shifts)

    @property
    def scale(self) -> int:
        """What 1 in every part is together."""
        return sum(1 << shift for shift in self.shifts)

    @property
    def sums(self) -> int:
        """Outputs of the lists: parts of all outputs."""
        return len(self.rows) // self.planes

    @property
    def start(self) -> int:
        """The word that sums start from: the bias in every lane."""
        return self.bias * lane_ones(self.lanes)

    @cached_property
    def nonzeros(self) -> int:
        return sum(minus.size + plus.size for minus, plus in self.rows)

    @cached_property
    def skips(self) -> int:
        """Entries that pass over inputs."""
        return sum(int(_skips(positions).sum()) for row in self.rows for positions in row)

    @cached_property
    def data(self) -> NDArray[np.uint8]:
        """All lists in nibbles, one after the other."""
        data = bytearray()
        for row in self.rows:
            for positions in row:
                codes = [*_codes(positions), 0]
                codes += [0] * (len(codes) % 2)
                data += bytes(high << 4 | low for high, low in zip(codes[::2], codes[1::2], strict=True))
        return np.frombuffer(bytes(data), np.uint8)


def lists(codes: IntArray, positions: IntArray, lo: int, hi: int, lanes: int) -> Lists | None:
    """Of weights (out, n) at ascending `positions`, for inputs in [lo, hi]; None for lanes too narrow."""
    digits = planes(codes)
    for parts in range(1, MAX_PARTS + 1):
        for groups in (count for count in range(parts, 0, -1) if parts % count == 0):
            found = _cut(digits, positions, (lo, hi), lanes, groups, parts // groups)
            if found is not None:
                return found
    return None


def _cut(
    digits: Digits, positions: IntArray, ends: tuple[int, int], lanes: int, groups: int, pieces: int
) -> Lists | None:
    """Parts of `groups` groups of planes by `pieces` ranges of inputs; None where one does not fit, or where
    fewer groups have all planes."""
    each = -(-len(digits) // groups)
    if (groups - 1) * each >= len(digits):
        return None
    digits = np.pad(digits, [(0, groups * each - len(digits)), (0, 0), (0, 0)])
    cuts = [digits.shape[2] * piece // pieces for piece in range(pieces + 1)]
    parts = [
        (digits[each * group : each * (group + 1), :, a:b], positions[a:b])
        for group in range(groups)
        for a, b in pairwise(cuts)
    ]
    found = [_ends(part, *ends) for part, _ in parts]
    low, high = min(end[0] for end in found), max(end[1] for end in found)
    if high - low >= 1 << lane_bits(lanes):
        return None
    rows = tuple(
        (places[plane[o] < 0], places[plane[o] > 0])
        for o in range(digits.shape[1])
        for part, places in parts
        for plane in part[::-1]
    )
    shifts = tuple(each * group for group in range(groups) for _ in range(pieces))
    return Lists(rows, lanes, shifts, each, -low, high - low)


def _ends(part: Digits, lo: int, hi: int) -> tuple[int, int]:
    """Smallest and largest of all sums, and of no terms at all."""
    weights = (part << np.arange(len(part))[:, None, None]).sum(axis=0)
    plus, minus = weights.clip(0).sum(axis=1), -weights.clip(max=0).sum(axis=1)
    return min(int((lo * plus - hi * minus).min()), 0), max(int((hi * plus - lo * minus).max()), 0)


def _codes(positions: IntArray) -> Iterator[int]:
    gaps = np.diff(positions, prepend=-1)
    for gap, skips in zip(gaps.tolist(), _skips(positions).tolist(), strict=True):
        yield from [SKIP] * skips
        yield gap - SKIPPED * skips


def _skips(positions: IntArray) -> IntArray:
    return (np.diff(positions, prepend=-1) - 1) // SKIPPED


def interval(op: Conv2d, x: Value) -> tuple[int, int]:
    """What a word's lanes may hold."""
    if any(op.pad):
        return min(x.lo, op.pad_value), max(x.hi, op.pad_value)
    return x.lo, x.hi


def negated(follow: Op | None, op: Conv2d) -> NDArray[np.bool_]:
    """Outputs whose weights are negated, so that a threshold never falls with the sum."""
    return epilogue.negated(follow, len(op.bias)) & weights.can_negate(op.weight_type)


def after(match: Match, op: Conv2d, found: Lists) -> Epilogue | None:
    """What happens to raw, the sum of an output's parts as lanes hold them; None where int32 is too short."""
    return _after(op, match.follow, (match.outs[0], match.out), found, match.core)


@lru_cache(maxsize=512)
def _after(
    op: Conv2d, after: Op | None, values: tuple[Value, Value], found: Lists, core: Core
) -> Epilogue | None:
    acc, out = values
    negate = negated(after, op)
    offset = np.where(negate, -1, 1) * op.bias.astype(np.int64) - found.scale * found.bias
    affine = Affine(1, offset, 0, found.scale * found.top)
    if not affine.fits():
        return None
    raw = replace(acc, lo=affine.lo, hi=affine.hi)
    follow = _on_raw(after, offset, raw)
    if follow is None:
        return epilogue.build(after, (acc, out), NATURAL, affine, negate, core)
    affine = replace(affine, offset=np.zeros_like(offset))
    return epilogue.build(follow, (raw, out), NATURAL, affine, negate, core)


def _on_raw(follow: Op | None, offset: NDArray[np.int64], raw: Value) -> Requantize | None:
    """A requantize of acc = raw + offset that has the offset in its b, where int32 holds all of it."""
    if not isinstance(follow, Requantize) or follow.rounding == "tflite_double":
        return None
    b = follow.b + follow.m.astype(np.int64) * offset
    if b.min() < INT32_LO or b.max() > INT32_HI:
        return None
    folded = msgspec.structs.replace(follow, b=b.astype(np.int32))
    return None if rescale.form(folded, raw) == "C" else folded


@dataclass(frozen=True)
class Shift:
    """y = clamp((raw + b) >> s) to all of int8 or uint8, which the routines of `macros/scaled.c.j2` do.

    b, s  (C,) int16, uint8
    """

    b: NDArray[np.int16]
    s: NDArray[np.uint8]

    @property
    def bytes(self) -> int:
        return self.b.nbytes + self.s.nbytes


def shift(match: Match, op: Conv2d, found: Lists) -> Shift | None:
    """None where what follows is something else, or lanes are not 16 bits, or a sum has several parts or
    planes."""
    q = match.follow
    if not isinstance(q, Requantize) or (found.lanes, found.parts, found.planes) != (2, 1, 1):
        return None
    whole = (q.lo, q.hi) in ((-128, 127), (0, 255)) and match.out.type.dtype.itemsize == 1
    if q.rounding == "tflite_double" or np.any(q.m != 1) or q.s.max() >= 31 or not whole:
        return None
    s = q.s.astype(np.int64)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (q.rounding != "floor")
    b = op.bias.astype(np.int64) - found.bias + q.b + half + (np.int64(q.zero) << s)
    if b.min() < -0x8000 or b.max() > 0x7FFF:
        return None
    return Shift(b.astype(np.int16), s.astype(np.uint8))


After = Shift | Epilogue


def body(
    match: Match, op: Conv2d, found: Lists, lists: Table, fields: Mapping[str, object], shared: bool = True
) -> Body:
    """With what follows the sums: constants of the shared function for whole layers, or an epilogue."""
    by = shift(match, op, found) if shared else None
    if by is not None:
        tables = [Table("b", by.b), Table("s", by.s)]
        return Body([lists, *tables], {**fields, "e": None, "to": letter(match.out.type)})
    epilogue = after(match, op, found)
    assert epilogue is not None
    return Body([lists, *epilogue.tables], {**fields, "e": epilogue.fields})


def possible(op: Conv2d, x: Value) -> bool:
    """Whether inputs and pads fit a byte of one kind."""
    low, high = interval(op, x)
    return (
        x.type.dtype.itemsize == 1 and np.iinfo(x.type.dtype).min <= low <= high <= np.iinfo(x.type.dtype).max
    )


def letter(type: Type) -> str:
    """s for codes with a sign and u for others, as routines have it in their names."""
    return "u" if type.dtype == np.uint8 else "s"


def least(options: Sequence[Lists | None]) -> Lists | None:
    """The fewest words to add, counting each lane: the first of `options` wins a tie."""
    there = [option for option in options if option is not None]
    return min(there, key=lambda option: len(option.rows) / option.lanes, default=None)
