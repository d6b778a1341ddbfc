"""conv2d of few-bit inputs, 32 pixels in a word: weights of -1, 0, +1 add words to vertical counters.

Slices keep room for the pads, so a tap of the window is a word of another row, shifted by the horizontal
distance; the words of all taps, channels and planes of a row are gathered once and serve all outputs. With
X = sum over planes k of +-2^e_k b_k, and m_k = b_k or, for a plane of negative value, its complement

    ternary   sum w m =     sum (w = 1) m + sum (w = -1) ~m - number of w = -1
    bipolar   sum w m = 2 * sum (w = 1) m - sum m

so weights of 0 cost nothing, complements are gathered as well, and all that counters do is to count up. The
last sum is that of all outputs: the counters start with its complement. Digits are compared with thresholds
bit by bit, 32 pixels at a time, which gives the slices of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from edgeternary.c import accumulator, counting, epilogue, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.slices import counters as slices
from edgeternary.c.slices import layout as slicing
from edgeternary.c.slices.layout import Slices
from edgeternary.c.stepping import Stepping
from edgeternary.c.tables import Table, narrow
from edgeternary.ir import Value
from edgeternary.ops import Conv2d, Threshold
from edgeternary.passes.affine import Affine

MAX_TAPS = 8000  # byte offsets of words are 16-bit numbers
REGISTERS = 5  # digits that a count reads or writes in any case


@dataclass(frozen=True)
class Sums:
    """What the counters hold: raw = sum over planes of 2^e_k of what is counted, at least 0.

    start  the complement of all taps' sum has this many digits; 0 with ternary weights
    hi     no raw is larger
    """

    affine: Affine
    start: int

    @property
    def digits(self) -> int:
        """Of raw, and of a limit beyond it; and one more, which says that the first limit is reached."""
        return (self.affine.hi + 1).bit_length() + 1

    @staticmethod
    def of(match: Match, op: Conv2d) -> Sums:
        """acc = factor * sum w X + bias + constant * sum w; negated where a threshold falls with the sum."""
        use = counting.digits(match.ins[0].type)
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1).astype(np.int64)
        inverted = sum(1 << plane.exponent for plane in use.planes if plane.inverted)
        shift = inverted * codes.sum(axis=1)
        if op.weight_type == "ternary":
            start, most = 0, use.weight * int((codes != 0).sum(axis=1).max())
            shift += use.weight * (codes < 0).sum(axis=1)
        else:
            most = use.weight * codes.shape[1]
            start = most.bit_length()
            shift += (1 << start) - 1
            most += (1 << start) - 1
        offset = np.where(negate, -1, 1) * op.bias.astype(np.int64) + use.constant * codes.sum(axis=1)
        return Sums(Affine(use.factor, offset - use.factor * shift, 0, most), start)


class Conv2dSlices(Kernel):
    name = "conv2d_slices"
    code = 1500
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        taps = op.weights[0].size
        if not weights.is_packed(op.weight_type) or op.groups != 1 or op.stride != (1, 1) or taps > MAX_TAPS:
            return
        if acc.shape[:2] != x.shape[:2] or x.type.planes > slices.MAX_PLANES:
            return
        if any(op.pad) and self._code(op, x) != 0:
            return
        sums = Sums.of(match, op)
        if sums.digits > slices.DIGITS or not sums.affine.fits():
            return
        for layout in self._layouts(match, op, x):
            out = layout if _direct(match, sums) else NATURAL
            scratch = 4 * (x.type.planes * self._words(op) + slices.DIGITS * (2 if sums.start else 1))
            yield Offer((layout,), out, self._cost(match, op, layout, sums), scratch=scratch)

    def _layouts(self, match: Match, op: Conv2d, x: Value) -> list[Slices]:
        """What the window needs; how its input has arrived; how the result, of the same size, is wanted."""
        there = [*(match.arriving[0] if match.arriving else ()), *match.wanted]
        found = [layout for layout in there if isinstance(layout, Slices) and slicing.serves(layout, op, x)]
        own = slicing.required(op, x)
        return list(dict.fromkeys([own, *found] if own else found))

    def _words(self, op: Conv2d) -> int:
        """Words of one plane of all taps, complements included, and the word of zeros."""
        return op.weights[0].size * (2 if op.weight_type == "ternary" else 1) + 1

    def _code(self, op: Conv2d, x: Value) -> int:
        """Bits of the pad value: words have zeros there."""
        return (op.pad_value + 1) // 2 if x.type.name == "bipolar" else op.pad_value

    def _cost(self, match: Match, op: Conv2d, layout: Slices, sums: Sums) -> Cost:
        x, out, costs = match.ins[0], match.out, match.core.figures(COSTS)
        blocks = int(self._lists(op, op.weights)[1].sum())
        added = x.type.planes * slices.BATCH * blocks
        row = added * costs.add + len(op.bias) * (x.type.planes * costs.output + costs.clear)
        row += x.type.planes * self._words(op) * costs.gather
        flash = 2 * slices.BATCH * blocks + accumulator.epilogue_flash(match)
        if not _direct(match, sums):
            store = out.size * (costs.store + match.core.touch + accumulator.rescaled_cycles(match))
            return Cost(layout.split * (row + len(op.bias) * costs.unslice) + store, flash)
        compared = Stepping.of(cast(Threshold, match.follow)).spread().levels - (0 if sums.start else 1)
        return Cost(layout.split * (row + len(op.bias) * compared * sums.digits * costs.compare), flash)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, layout = cast(Conv2d, match.ops[0]), match.ins[0], offer.ins[0]
        assert isinstance(layout, Slices)
        sums, pixels = Sums.of(match, op), x.size // x.channels
        use = counting.digits(x.type)
        negate = epilogue.negated(match.follow, len(op.bias))
        lists, blocks = self._lists(op, weights.negate(op.weights, negate))
        tables = [Table("list", lists, "byte offsets of the words of taps"), Table("blocks", blocks)]
        exponents = [plane.exponent + (1 if sums.start else 0) for plane in use.planes]
        digits = slices.DIGITS
        if offer.out == NATURAL:
            after = epilogue.of(match, NATURAL, sums.affine, negate)
            e: dict[str, object] = {**after.fields}
            tables += after.tables
        else:
            limits = Table("thresholds", narrow(_limits(match, sums)), _note(sums))
            e = {"kind": "slices", "limit": limits, "levels": limits.data.shape[1], "type": match.out.type}
            tables.append(limits)
            digits = min(digits, -(-max(sums.digits, exponents[-1] + REGISTERS) // 4) * 4)
        fields = {
            "x": x, "outputs": len(op.bias), "layout": layout, "pixels": pixels, "height": x.shape[0],
            "taps": [(y - op.pad[0], q - op.pad[1]) for y, q in np.ndindex(op.kernel)],
            "signed": op.weight_type == "ternary", "start": sums.start, "top": sums.digits - 1, "e": e,
            "planes": [
                {"index": k, "exponent": exponents[k], "inverted": plane.inverted}
                for k, plane in enumerate(use.planes)
            ],
            "empty": not blocks.all(), "digits": digits,
            "masks": layout.masks(pixels), "shift": layout.stride.bit_length() - 1,
        }  # fmt: skip
        return Body(tables, fields)

    def _lists(self, op: Conv2d, codes: weights.Codes) -> tuple[np.ndarray, np.ndarray]:
        """Lists one after the other, and the number of batches of each.

        Ternary weights: a list of each output, of taps with +1 and complements of taps with -1. Bipolar
        weights: one of all taps first, then a list of the taps with +1 of each output.
        """
        rows = codes.reshape(len(op.bias), -1)
        taps, zero = rows.shape[1], self._words(op) - 1
        if op.weight_type == "ternary":
            parts = [np.concatenate([np.flatnonzero(r == 1), taps + np.flatnonzero(r == -1)]) for r in rows]
        else:
            parts = [np.arange(taps), *(np.flatnonzero(row == 1) for row in rows)]
        filled = [np.pad(part, (0, -len(part) % slices.BATCH), constant_values=zero) for part in parts]
        blocks = np.array([len(part) // slices.BATCH for part in filled], np.uint16)
        lists = np.concatenate(filled) if blocks.any() else np.zeros(1, np.int64)
        return (4 * lists).astype(np.uint16), blocks


def _stepping(match: Match, sums: Sums) -> Stepping | None:
    """Thresholds of raw."""
    if not isinstance(match.follow, Threshold):
        return None
    negate = epilogue.negated(match.follow, len(sums.affine.offset))
    stepping = Stepping.of(match.follow).negate(negate).spread()
    return stepping.on_raw(sums.affine)


def _direct(match: Match, sums: Sums) -> bool:
    """Whether counts of reached thresholds are the codes, so that slices of them can be made."""
    stepping = _stepping(match, sums)
    return stepping is not None and stepping.direct and match.out.type.planes <= slices.MAX_PLANES


def _limits(match: Match, sums: Sums) -> np.ndarray:
    """Thresholds t as counters are compared with them, all of a channel in a row.

    Counters that do not start with a sum start with 2^top - t[0]: digit `top` then says raw >= t[0], and
    the other thresholds are larger by as much.
    """
    stepping = _stepping(match, sums)
    assert stepping is not None and not stepping.below
    if sums.start:
        return stepping.t
    first = (1 << sums.digits - 1) - stepping.t[:, :1]
    return np.concatenate([first, stepping.t[:, 1:] + first], axis=1)


def _note(sums: Sums) -> str:
    return "" if sums.start else f"{1 << sums.digits - 1} - t[0], then how much larger the others make it"


@dataclass(frozen=True)
class Costs:
    """Cycles, from counts of whole layers.

    add      a word to 32 counters
    output   a list of an output besides;  clear  its counters
    gather   a word;  compare  a digit;  unslice  32 counters;  store  a sum
    """

    add: float
    output: float
    clear: float
    gather: float
    compare: float
    unslice: float
    store: float


COSTS = {
    "host": Costs(8, 30, 30, 4, 8, 150, 8), "cortex-m0plus": Costs(14.4, 60, 70, 8, 12, 300, 10),
    "cortex-m3": Costs(9.2, 40, 40, 5, 8, 200, 7),
    "cortex-m7": Costs(5.5, 30, 30, 3, 5, 120, 4), "cortex-m33": Costs(9, 40, 40, 5, 8, 200, 7),
    "cortex-m55": Costs(7.4, 32, 32, 4, 6, 160, 6),
}  # fmt: skip
