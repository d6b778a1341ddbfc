"""Weights as the generated code holds them."""

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.tables import Table
from edgeternary.ir import encoding, parse

Codes = NDArray[np.int8]


def can_negate(weight_type: str) -> bool:
    """Whether -w is a member of the type for every w; two's complement has one code that has no negative."""
    return weight_type in ("ternary", "bipolar")


def is_packed(weight_type: str) -> bool:
    """Whether the weights are bit planes; wider ones are int8."""
    return weight_type in ("ternary", "bipolar")


def rows(codes: Codes, weight_type: str) -> Table:
    """Weights (out, n): int8 codes, or bit planes with every output at a word border.

    The planes of a word follow each other: (p, n) for ternary weights.
    """
    if not is_packed(weight_type):
        return Table("weights", codes)
    packed = encoding.pack(codes, parse(weight_type)).transpose(1, 2, 0)  # out, words, planes
    comment = "words of (+1, -1) bits" if weight_type == "ternary" else "bit 1 means +1"
    return Table("weights", packed.reshape(len(codes), -1), comment, hexadecimal=True)


def grouped_rows(codes: Codes, weight_type: str, group: int) -> Table:
    """The same with each `group` inputs at a word border, to match activations laid out in that way.

    The last group may be shorter.
    """
    out, inputs = codes.shape
    index = np.arange(inputs)
    per_group = encoding.words(group)
    word = index // group * per_group + index % group // encoding.WORD
    bit = (index % group % encoding.WORD).astype(np.uint32)
    planes = encoding.pack(codes[..., None], parse(weight_type))[..., 0] << bit  # planes, out, inputs
    packed = np.zeros((out, int(word[-1]) + 1, len(planes)), np.uint32)
    for plane, bits in enumerate(planes):
        for row in range(out):
            np.bitwise_or.at(packed[row, :, plane], word, bits[row])
    comment = "words of (+1, -1) bits" if weight_type == "ternary" else "bit 1 means +1"
    return Table("weights", packed.reshape(out, -1), comment, hexadecimal=True)


def negate(codes: Codes, channels: NDArray[np.bool_]) -> Codes:
    """Weights (out, ...) with the rows of some output channels negated."""
    flip = channels.reshape(-1, *[1] * (codes.ndim - 1))
    return np.where(flip, -codes, codes).astype(np.int8)


def padded_rows(codes: Codes) -> Table:
    """Weights (out, n) as int8, with rows of zeros up to a multiple of four."""
    return Table("weights", np.pad(codes, [(0, -len(codes) % 4), (0, 0)]))


def fours(codes: Codes, nibbles: bool) -> Table:
    """Weights (out, n) for multiply-accumulate of four outputs at a time, zeros filled in at both ends.

    For each four outputs and each run of inputs there is a word an output: four bytes of four inputs, or
    eight nibbles w + 8 of eight inputs, input i at bits 4 i and input i + 4 at bits 16 + 4 i (so that one
    mask picks the 16-bit pair (i, i + 4)).
    """
    run = 8 if nibbles else 4
    padded = np.pad(codes, [(0, -codes.shape[0] % 4), (0, -codes.shape[1] % run)])
    runs = padded.reshape(len(padded) // 4, 4, -1, run).transpose(0, 2, 1, 3)  # fours, runs, output, input
    if nibbles:
        words = ((runs.astype(np.int64) + 8) << (4 * np.arange(8))).sum(axis=3).astype(np.uint32)
    else:
        words = np.ascontiguousarray(runs).view(np.uint8).view("<u4")[..., 0].astype(np.uint32)
    comment = "words of eight w + 8" if nibbles else "words of four w"
    return Table("weights", words.reshape(len(padded) // 4, -1), comment, hexadecimal=True)
