"""conv2d of few-bit inputs, 32 pixels in a word: weights of -1, 0, +1 add words to vertical counters.

A row of words holds the pixels of `lanes` parts of the image side by side, each as wide as a power of two
that leaves room for the pad: bit l * stride + x of row r is pixel (r + l * split, x). A tap of the window is
then a word of another row, shifted by the horizontal distance; the words of all taps, channels and planes of
a row are gathered once and serve all outputs. An output adds those that its list of weights +1 names and
subtracts those of its list of weights -1; weights of 0 cost nothing. Bipolar weights count the +1 only:
sum w X = 2 sum (w = 1) X - sum X, where the last sum is that of all outputs.

A convolution of 1 x 1 takes the pixels as they come, 32 a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from edgeternary.c import accumulator, counting, epilogue, slices, weights
from edgeternary.c.epilogue import Affine
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

MAX_TAPS = 8000  # byte offsets of words are 16-bit numbers
WORD = 32


@dataclass(frozen=True)
class Geometry:
    """Bit l * stride + x of row r is pixel (r + l * split, x) of a height x width image."""

    height: int
    width: int
    stride: int
    split: int

    @property
    def lanes(self) -> int:
        return WORD // self.stride

    @classmethod
    def of(cls, op: Conv2d, x: Value) -> Geometry | None:
        """None where a row with its pads is wider than a word, or a pad taller than a part."""
        height, width, _ = x.shape
        if op.kernel == (1, 1):
            return cls(-(-height * width // WORD), WORD, WORD, -(-height * width // WORD))
        needed = width + max(op.pad[1], op.pad[3])
        stride = next((size for size in (1, 2, 4, 8, 16, 32) if size >= needed), 0)
        if not stride:
            return None
        split = -(-height * stride // WORD)
        return None if max(op.pad[0], op.pad[2]) > split else cls(height, width, stride, split)


class Conv2dSlices(Kernel):
    name = "conv2d_slices"
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        taps = op.weights[0].size
        if not weights.is_packed(op.weight_type) or op.groups != 1 or op.stride != (1, 1) or taps > MAX_TAPS:
            return
        same = acc.shape[:2] == x.shape[:2]
        shape = Geometry.of(op, x)
        if shape is None or not same or (any(op.pad) and self._code(op, x) != 0):
            return
        if not slices.fits(x.type, taps, self._signed(op)) or not self._affine(match, op).fits():
            return
        words = shape.split * x.channels * x.type.planes
        scratch = 4 * (words + x.type.planes * (taps + 1) + 2 * slices.DIGITS)
        yield Offer((NATURAL,), NATURAL, self._cost(match, op, shape), scratch=scratch)

    def _cost(self, match: Match, op: Conv2d, shape: Geometry) -> Cost:
        x, out, costs = match.ins[0], match.out, COSTS[match.core.name]
        taps, planes = op.weights[0].size, x.type.planes
        blocks = self._lists(op, op.weights)[1]
        added = planes * slices.BATCH * int(blocks.sum())
        row = added * costs.add + len(op.bias) * planes * costs.output + taps * planes * costs.gather
        cycles = (
            shape.split * row + x.size * planes * costs.pack + out.size * (costs.store + match.core.touch)
        )
        return Cost(cycles, 2 * slices.BATCH * int(blocks.sum()) + accumulator.epilogue_flash(match))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        shape = Geometry.of(op, x)
        assert shape is not None
        negate = epilogue.negated(match.follow, len(op.bias))
        affine = self._affine(match, op)
        after = epilogue.build(match.follow, acc, match.out, offer.out, affine, negate)
        lists, blocks = self._lists(op, weights.negate(op.weights, negate))
        tables = [Table("list", lists, "byte offsets of the words of taps"), Table("blocks", blocks)]
        signed, planes = self._signed(op), slices.planes(x.type)
        begin = slices.start(x.type, op.weights[0].size, signed)
        taps = [(ky - op.pad[0], kx - op.pad[1]) for ky in range(op.kernel[0]) for kx in range(op.kernel[1])]
        fields = {
            "x": x, "outputs": len(op.bias),
            "shape": shape, "shift": shape.stride.bit_length() - 1, "taps": taps, "signed": signed,
            "passes": _passes(planes, signed), "planes": x.type.planes, "type": x.type.name,
            "digits": slices.digits(x.type, op.weights[0].size, signed), "start": begin,
            "digit": max(begin.bit_length() - 1, 0), "base": begin << planes[0].exponent,
            "pointwise": op.kernel == (1, 1), "pixels": x.shape[0] * x.shape[1], "e": after.fields,
        }  # fmt: skip
        return Body([*tables, *after.tables], fields)

    def _signed(self, op: Conv2d) -> bool:
        """Whether lists of weights -1 exist, to be subtracted."""
        return op.weight_type == "ternary"

    def _code(self, op: Conv2d, x: Value) -> int:
        """Bits of the pad value: words have zeros there."""
        return (op.pad_value + 1) // 2 if x.type.name == "bipolar" else op.pad_value

    def _lists(self, op: Conv2d, codes: weights.Codes) -> tuple[np.ndarray, np.ndarray]:
        """Lists one after the other, and how many batches each has: +1 (and -1) of each output.

        With bipolar weights there is one more list first, that of all taps.
        """
        rows = codes.reshape(len(op.bias), -1)
        if self._signed(op):
            parts = [np.flatnonzero(row == sign) for row in rows for sign in (1, -1)]
        else:
            parts = [np.arange(rows.shape[1]), *(np.flatnonzero(row == 1) for row in rows)]
        filled = [np.pad(p, (0, -len(p) % slices.BATCH), constant_values=rows.shape[1]) for p in parts]
        blocks = np.array([len(part) // slices.BATCH for part in filled], np.uint16)
        lists = np.concatenate(filled) if blocks.any() else np.zeros(1, np.int64)
        return (4 * lists).astype(np.uint16), blocks

    def _affine(self, match: Match, op: Conv2d) -> Affine:
        """acc = factor * sum w X + bias + constant * sum w; negated where a threshold falls with the sum."""
        use = counting.digits(match.ins[0].type)
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1).astype(np.int64)
        offset = np.where(negate, -1, 1) * op.bias.astype(np.int64) + use.constant * codes.sum(axis=1)
        reach = use.weight * codes.shape[1]
        return Affine(use.factor, offset, -reach, reach)


@dataclass(frozen=True)
class Pass:
    """Part of the sum of an output: double the counters, then add some lists and subtract others.

    add, subtract  (plane, whether the list is that of weights -1)
    """

    double: bool
    add: tuple[tuple[int, bool], ...]
    subtract: tuple[tuple[int, bool], ...]


def _passes(planes: list[slices.Plane], signed: bool) -> list[Pass]:
    """Planes of one exponent together, from the highest down."""
    passes: list[Pass] = []
    for exponent in sorted({plane.exponent for plane in planes}, reverse=True):
        here = [plane for plane in planes if plane.exponent == exponent]
        lists = [(plane, minus) for plane in here for minus in ((False, True) if signed else (False,))]
        add = tuple((plane.index, minus) for plane, minus in lists if plane.negative == minus)
        subtract = tuple((plane.index, minus) for plane, minus in lists if plane.negative != minus)
        passes.append(Pass(bool(passes), add, subtract))
    return passes


@dataclass(frozen=True)
class Costs:
    """Cycles, from counts of whole layers.

    add     a word to 32 counters
    output  the lists of an output besides
    gather  a word;  pack  a bit;  store  a sum, from the counters
    """

    add: float
    output: float
    gather: float
    pack: float
    store: float


COSTS = {
    "host": Costs(8, 200, 5, 4, 8), "cortex-m0plus": Costs(15, 350, 12, 14, 10),
    "cortex-m3": Costs(10.3, 250, 8, 10, 7), "cortex-m4": Costs(10.3, 250, 8, 10, 7),
    "cortex-m7": Costs(6, 150, 5, 6, 4), "cortex-m33": Costs(10, 250, 8, 10, 7),
    "cortex-m55": Costs(8, 200, 6, 8, 5),
}  # fmt: skip

KERNEL = Conv2dSlices()
