"""What dense_int and conv2d_int share: multiply-accumulate of integer weights, four outputs at a time.

Cores with DSP instructions multiply two 16-bit pairs at once (SMLAD); inputs become such pairs once and serve
all outputs. Weights of up to four bits are nibbles w + 8, whose excess is 8 times the sum of the inputs.

Vector registers multiply 8 halfwords at once (VMLADAVA) for inputs of 16 bits; `vectors` has those of 8 bits.
"""

from edgeternary.c import accumulator, epilogue, epilogue_helium, weights
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Cost, Match, Offer
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes, is_packed
from edgeternary.cores import Core
from edgeternary.ir import parse
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense, Threshold

NIBBLE = 4

# Cycles of a multiply-accumulate of byte weights and of nibbles, and of making one input ready; those of the
# M55 are instructions, of bytes and halfwords in vector registers.
COSTS = {
    "host": (1.0, 2.0, 1.0), "cortex-m0plus": (7.0, 8.5, 2.0), "cortex-m3": (4.4, 3.9, 2.0),
    "cortex-m4": (1.75, 1.55, 5.0), "cortex-m7": (1.0, 0.9, 3.0), "cortex-m33": (1.7, 1.5, 5.0),
    "cortex-m55": (0.38, 0.38, 0.2),
}  # fmt: skip

OUTPUT, VECTOR_OUTPUT = 10, 4  # cycles of an output besides
COPY = 0.5  # of Core.touch, for an element of a window
VECTOR_BYTES = 16
VECTOR_ROW, VECTOR_COPY = 30, 3  # instructions of copying a row of a window, and for each VECTOR_BYTES


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
    if match.core.vectors and x.type.dtype.itemsize == 1:
        return False
    return (
        match.core.vectors
        or not nibbles(op)
        or 16 * op.weights[0].size * max(abs(x.lo), abs(x.hi)) <= INT32_HI
    )


def table(match: Match, op: Dense | Conv2d, codes: Codes) -> Table:
    """Weights (out, n) as the core's routine wants them."""
    return weights.padded_rows(codes) if match.core.vectors else weights.fours(codes, nibbles(op))


def codes_and_epilogue(match: Match, offer: Offer, op: Dense | Conv2d) -> tuple[Codes, Epilogue]:
    """Those of `accumulator`, in vector registers where the core has them."""
    made = epilogue_helium.of if match.core.vectors else epilogue.of
    return accumulator.codes_and_epilogue(match, offer, op, made)


def fields(match: Match, op: Dense | Conv2d, after: Epilogue) -> dict[str, object]:
    """What both templates need to know of the products and of what follows them."""
    vectors = match.core.vectors
    e, finish = epilogue_helium.fields(after, len(op.bias)) if vectors else (after.fields, None)
    return {
        "inputs": op.weights[0].size, "outputs": len(op.bias), "fours": fours(op), "vector": vectors,
        "nibbles": nibbles(op) and not vectors, "dsp": match.core.pairs,
        "room": scratch(op, match.core), "e": e, "finish": finish,
    }  # fmt: skip


def scratch(op: Dense | Conv2d, core: Core) -> int:
    """Bytes of the sums and of the pairs of inputs."""
    count = op.weights[0].size
    return 4 * fours(op) + (2 * (-(-count // run(op)) * run(op)) if core.pairs else 0)


def fours(op: Dense | Conv2d) -> int:
    """Outputs, up to a multiple of four."""
    return -(-len(op.bias) // 4) * 4


def cost(match: Match, op: Dense | Conv2d, vectors: int) -> Cost:
    """Estimate for `vectors` products of all weights with a vector of inputs, epilogue included."""
    count, routine = op.weights[0].size, match.core.vectors
    byte, nibble, ready = match.core.figures(COSTS)
    if routine:
        each = byte
        size = table(match, op, op.weights.reshape(len(op.bias), -1)).data.nbytes
    else:
        each = nibble if nibbles(op) else byte
        size = fours(op) * (-(-count // run(op))) * 4
    products = fours(op) * count * each + count * ready + (VECTOR_OUTPUT if routine else OUTPUT) * fours(op)
    flash = size + accumulator.epilogue_flash(match)
    after = accumulator.epilogue_cycles(match)
    if routine and not isinstance(match.follow, Threshold):
        after = vectors * epilogue_helium.cycles(len(op.bias))
    return Cost(vectors * products + after, flash)


def gather_cycles(match: Match, op: Conv2d) -> float:
    """Of copying one window."""
    taps = op.weights[0].size
    if match.core.vectors:
        return (
            VECTOR_ROW * op.kernel[0] + VECTOR_COPY * taps * match.ins[0].type.dtype.itemsize / VECTOR_BYTES
        )
    return taps * COPY * match.core.touch
