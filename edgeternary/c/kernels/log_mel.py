"""log_mel on natural inputs: one frame after the other, its transform in scratch memory."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import LogMel
from edgeternary.ops.spectrum import SEGMENTS, TURNS, logarithms, sines

WORD = 4  # bytes
BUTTERFLY, BIN, SAMPLE, BAND = 4.0, 6.0, 1.0, 8.0  # of Core.touch


class LogMelNatural(Kernel):
    """Products of 32 by 16 bits are one long product, or two short ones where a core has no long ones."""

    name = "log_mel"
    code = 700
    patterns = (("log_mel",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(LogMel, match.ops[0]), match.ins[0]
        half, frames = op.size // 2, op.frames(x.size)
        stages, bins = half.bit_length() - 1, int(op.edges[-1] - op.edges[0])
        work = SAMPLE * len(op.window) + BUTTERFLY * stages * half / 2 + BIN * bins + BAND * op.bands
        flash = 2 * (len(op.window) + 3 * op.size // 4 + bins + op.bands + SEGMENTS + 3)
        yield Offer(
            (NATURAL,), NATURAL, Cost(frames * work * match.core.touch, flash), scratch=WORD * op.size
        )

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(LogMel, match.ops[0]), match.ins[0]
        size, frames = op.size, op.frames(x.size)
        tables = [
            Table("hann", op.window.astype(np.uint16), "factors of the samples, in 2^-15"),
            Table("sines", sines(size).astype(np.int16), f"-sin(2 pi k / {size}), in 2^-15"),
            Table("edges", op.edges.astype(np.uint16), "bins where the bands begin, peak and end"),
            Table("rise", op.rise.astype(np.uint16), "share of a bin in the band where it rises, in 2^-15"),
            Table("logs", logarithms().astype(np.uint16), f"log2(1 + i / {SEGMENTS}), in 2^-15", once=True),
        ]
        fields = {
            "op": op, "samples": x.size, "frames": frames, "width": len(op.window), "half": size // 2,
            "bits": (size // 2).bit_length() - 1, "turns": range(1, TURNS + 1), "long": not match.core.thumb1,
            "bands": op.bands, "segments": SEGMENTS,
        }  # fmt: skip
        return Body(tables, fields)
