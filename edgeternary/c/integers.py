"""What dense_int and conv2d_int share: multiply-accumulate of integer weights, four outputs at a time.

Cores with DSP instructions multiply two 16-bit pairs at once (SMLAD); inputs become such pairs once and serve
all outputs. Weights of up to four bits are nibbles w + 8, whose excess is 8 times the sum of the inputs.
"""

from __future__ import annotations

from edgeternary.c import accumulator
from edgeternary.c.cores import Core
from edgeternary.c.kernel import Cost, Match
from edgeternary.c.weights import is_packed
from edgeternary.ir import parse
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense

DSP = ("cortex-m4", "cortex-m7", "cortex-m33")
NIBBLE = 4

# Cycles of a multiply-accumulate of byte weights and of nibbles, and of making one input ready.
COSTS = {
    "host": (1.0, 2.0, 1.0), "cortex-m0plus": (7.0, 8.5, 2.0), "cortex-m3": (4.4, 3.9, 2.0),
    "cortex-m4": (1.75, 1.55, 5.0), "cortex-m7": (1.0, 0.9, 3.0), "cortex-m33": (1.7, 1.5, 5.0),
}  # fmt: skip


def nibbles(op: Dense | Conv2d) -> bool:
    return parse(op.weight_type).bits <= NIBBLE


def run(op: Dense | Conv2d) -> int:
    """Inputs whose weights share a word."""
    return 8 if nibbles(op) else 4


def possible(match: Match, op: Dense | Conv2d) -> bool:
    """Integer weights, inputs of 16 bits with a sign, sums that stay in int32 with the excess of nibbles."""
    x = match.ins[0]
    if is_packed(op.weight_type) or x.hi > 0x7FFF or x.lo < -0x8000 or not accumulator.fits(match, op):
        return False
    return not nibbles(op) or 16 * op.weights[0].size * max(abs(x.lo), abs(x.hi)) <= INT32_HI


def dsp(core: Core) -> bool:
    return core.name in DSP


def scratch(op: Dense | Conv2d, core: Core) -> int:
    """Bytes of the sums and of the pairs of inputs."""
    count = op.weights[0].size
    return 4 * fours(op) + (2 * (-(-count // run(op)) * run(op)) if dsp(core) else 0)


def fours(op: Dense | Conv2d) -> int:
    """Outputs, up to a multiple of four."""
    return -(-len(op.bias) // 4) * 4


def cost(match: Match, op: Dense | Conv2d, vectors: int) -> Cost:
    """Estimate for `vectors` products of all weights with a vector of inputs, epilogue included."""
    byte, nibble, ready = COSTS[match.core.name]
    count = op.weights[0].size
    products = fours(op) * count * (nibble if nibbles(op) else byte) + count * ready + 10 * fours(op)
    flash = fours(op) * (-(-count // run(op))) * 4 + accumulator.epilogue_flash(match)
    return Cost(vectors * products + accumulator.epilogue_cycles(match), flash)
