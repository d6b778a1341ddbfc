"""What a memory takes: block RAMs, single-port RAMs, or LUTs."""

import numpy as np

from edgeternary.hdl.devices import Family
from edgeternary_hw.single_port import DEPTH, columns
from edgeternary_hw.stage import MemorySize

WORTH = 40  # LUTs that a block RAM must save: below that they cost less than the way to the block
WORTH_SLOW = 150  # the same where blocks are slow: paths out of them are the longest
# pieces of 16 words that are constant or follow an address bit, upright or inverted
FREE = {flip ^ piece for piece in (0, 0xAAAA, 0xCCCC, 0xF0F0, 0xFF00) for flip in (0, 0xFFFF)}


def block_shape(size: MemorySize, family: Family) -> tuple[int, int, int]:
    """(blocks, blocks in a column, bits of each) of a memory: the fewest over the family's shapes. Logic
    chooses among the blocks of a column; where registers lie in the blocks, a column is one block."""
    shapes = [(-(-size.depth // d), -(-size.width // w), w) for d, w in family.shapes]
    flat = [shape for shape in shapes if shape[0] == 1] if family.output_registers else []
    return min((deep * wide, deep, width) for deep, wide, width in flat or shapes)


def blocks(size: MemorySize, family: Family) -> int:
    """Block RAMs of a memory; every read port has its own copy."""
    return size.reads * block_shape(size, family)[0]


def single_port_rams(size: MemorySize) -> int:
    """Single-port RAMs of a memory."""
    return columns(size.width) * -(-size.depth // DEPTH)


def block_luts(size: MemorySize, family: Family) -> int:
    """LUTs beside the blocks: the choice among the blocks of a column."""
    _, deep, _ = block_shape(size, family)
    return size.reads * (round(size.width * (deep - 1) * 0.7) + 2 * (deep > 1))


def rom_luts(words: list[int], width: int) -> int:
    """LUTs of a ROM in logic: one for 16 words of a bit, and the choice between two of those (0.9).

    Equal pieces are built once; pieces that are constant or follow an address bit cost nothing.
    """
    size = -(-width // 8)
    data = b"".join(word.to_bytes(size, "little") for word in words)
    bits = np.zeros((-(-len(words) // 16) * 16, width), np.uint8)
    packed = np.frombuffer(data, np.uint8).reshape(len(words), size)
    bits[: len(words)] = np.unpackbits(packed, axis=1, count=width, bitorder="little")
    level = np.packbits(bits.reshape(-1, 16, width), axis=1, bitorder="little").astype(np.int64)
    level = (level[:, 0] | level[:, 1] << 8).T  # of each bit, its pieces of 16 words, by number
    leaves = len(set(np.unique(level).tolist()) - FREE)
    nodes: dict[int, int] = {}  # pairs of different ones, numbered from the pieces on
    while level.shape[1] > 1:
        a, b = level[:, ::2], level[:, 1::2]
        b = np.concatenate([b, a[:, b.shape[1] :]], axis=1)  # without a neighbour: with itself
        pairs, inverse = np.unique(np.where(a == b, -1, a << 32 | b), return_inverse=True)
        numbers = [nodes.setdefault(p, (1 << 16) + len(nodes)) if p >= 0 else 0 for p in pairs.tolist()]
        level = np.where(a == b, a, np.asarray(numbers)[inverse].reshape(a.shape))
    return leaves + round(0.9 * len(nodes))


def logic_luts(size: MemorySize, family: Family, words: list[int] | None = None) -> int:
    """LUTs of a memory in logic.

    A ROM: see `rom_luts`; without its words as if no two pieces were equal. A RAM: 16 words of 4 bits in
    `family.small_ram` LUTs where the fabric has such cells, else a flip-flop for each bit.
    """
    if words is not None:
        return rom_luts(words, size.width)
    leaves = -(-size.depth // 16)
    tree = round(size.width * (leaves - 1) * 0.7)
    if not size.writable:
        return size.width * leaves + tree
    if family.small_ram:
        return size.reads * (family.small_ram * leaves * -(-size.width // 4) + tree)
    return size.depth * size.width + size.reads * round(size.width * (size.depth - 1) * 0.7)
