"""dense of few-bit inputs, input by input, 32 outputs in a word.

A row of words holds the weights of one input for 32 outputs. Counters are vertical: word k holds digit k of
all 32. Each input that is not zero adds its row, inputs that are zero cost nothing; all weights are shifted
to be positive, so that a row of ternary weights is (w = 0, w = 1), worth 1 and 2, and its first addition
takes three logic instructions. With x = constant + factor * X, X = sum over planes k of +-2^e_k b_k:

    ternary   sum w X =     sum (1 + w) X     - sum X
    bipolar   sum w X = 2 * sum (1 + w) / 2 X - sum X

See `c/slices/counters` for planes of negative value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from edgeternary.c import accumulator, counting, epilogue, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.slices import counters as slices
from edgeternary.c.tables import Table
from edgeternary.ir import encoding
from edgeternary.ops import Dense
from edgeternary.passes.affine import Affine

MAX_INPUTS = 8000  # byte offsets of rows are 16-bit numbers


class DenseSlices(Kernel):
    name = "dense_slices"
    code = 1280
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        outputs, inputs = op.weights.shape
        if not weights.is_packed(op.weight_type) or inputs > MAX_INPUTS:
            return
        if not slices.fits(x.type, self._most(op)) or not self._affine(match, op).fits():
            return
        blocks = encoding.words(outputs)
        costs = match.core.figures(COSTS)
        lists = x.type.planes
        passes = 1 if x.type.name == "ternary" else lists
        added = inputs * passes / 2 + lists * slices.BATCH / 2
        row = costs.row * (1 if op.weight_type == "ternary" else costs.bipolar)
        cycles = passes * inputs * costs.look + blocks * (added * row + costs.block)
        cycles += accumulator.epilogue_cycles(match)
        flash = 4 * blocks * self._row_words(op) * (inputs + 1) + accumulator.epilogue_flash(match)
        scratch = 4 * slices.DIGITS * blocks + 2 * (inputs + 2 * slices.BATCH)
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, Cost(cycles, flash), scratch=scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate)
        affine = self._affine(match, op)
        after = epilogue.of(match, offer.out, affine, negate)
        planes, start = slices.planes(x.type), slices.start(x.type, self._most(op))
        words = self._row_words(op)
        table = Table("weights", _slices(codes, op.weight_type), hexadecimal=True, comment=(
            "rows of (w = 0, w = 1) bits" if words == 2 else "rows of bits, 1 means +1"
        ))  # fmt: skip
        base = start << planes[0].exponent
        fields = {
            "inputs": op.weights.shape[1], "outputs": len(op.bias), "blocks": encoding.words(len(op.bias)),
            "rows_words": words * (op.weights.shape[1] + 1), "weight_type": op.weight_type,
            "type": x.type.name, "signs": x.type.name == "ternary", "planes": planes,
            "base": base * (1 if words == 2 else 2), "base_digit": max(start.bit_length() - 1, 0),
            "e": after.fields,
        }  # fmt: skip
        return Body([table, *after.tables], fields)

    def _row_words(self, op: Dense) -> int:
        return 2 if op.weight_type == "ternary" else 1

    def _most(self, op: Dense) -> int:
        """A bound on what one plane adds to a counter."""
        return self._row_words(op) * op.weights.shape[1]

    def _affine(self, match: Match, op: Dense) -> Affine:
        """acc = factor * sum w X + bias + constant * sum w; negated where a threshold falls with the sum."""
        use = counting.digits(match.ins[0].type)
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate).astype(np.int64)
        offset = np.where(negate, -1, 1) * op.bias.astype(np.int64) + use.constant * codes.sum(axis=1)
        reach = use.weight * op.weights.shape[1]
        return Affine(use.factor, offset, -reach, reach)


@dataclass(frozen=True)
class Costs:
    """Cycles of looking at an input, of adding a row to 32 counters, and of a block of 32 outputs besides;
    bipolar: what a row of one word takes of that of two."""

    look: float
    row: float
    block: float
    bipolar: float = 0.64


COSTS = {
    "host": Costs(3, 12, 300), "cortex-m0plus": Costs(14, 20.5, 900), "cortex-m3": Costs(13.8, 14, 600),
    "cortex-m7": Costs(8, 8, 400), "cortex-m33": Costs(13, 13.5, 600),
    "cortex-m55": Costs(10, 12, 550, bipolar=0.63),
}  # fmt: skip


def _slices(codes: weights.Codes, weight_type: str) -> np.ndarray:
    """Words (block, input, row words) of weights (out, in), with a row of zeros after the last input.

    Output q of a block is bit q // 2 + 16 * (q % 2).
    """
    outputs, inputs = codes.shape
    blocks = encoding.words(outputs)
    lane = np.arange(32).reshape(16, 2).T.ravel()  # output of each bit
    padded = np.full((32 * blocks, inputs), -1, np.int8)
    padded[:outputs] = codes
    ordered = padded.reshape(blocks, 32, inputs)[:, lane]  # blocks, bits, inputs
    values = (0, 1) if weight_type == "ternary" else (1,)
    bits = np.stack([ordered == value for value in values], axis=-1)  # blocks, bits, inputs, words
    bits = np.pad(bits, [(0, 0), (0, 0), (0, 1), (0, 0)])
    words = (bits.astype(np.uint64) << np.arange(32, dtype=np.uint64)[None, :, None, None]).sum(axis=1)
    return words.astype(np.uint32).reshape(blocks, -1)
