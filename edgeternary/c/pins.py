"""Tables of a lut op as blocks of eight, and the comparisons that their inputs read, as bytes of 0 or 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeternary.ir import IntArray, Value
from edgeternary.ops import Compare, Lut

BLOCK = 8  # tables that share the bytes of their entries
BYTES = 4  # of a word


Pair = tuple[int, int]  # a channel, and what it is compared with


@dataclass(frozen=True)
class Row:
    """Comparisons of `words` words of four channels, from word `first` of the input on.

    t       with which each byte is compared; 0: each one with its own
    limit   bit = x + own >= limit
    own     uint8 (4 * words,); empty where t says it
    """

    first: int
    words: int
    t: int = 0
    limit: int = 0
    own: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))


@dataclass(frozen=True)
class Compared:
    """What is compared once, for all tables.

    rows    of whole words, one after the other in memory
    rest    single comparisons after them, of the last channels, which are no whole word
    places  {comparison: byte}
    """

    rows: tuple[Row, ...]
    rest: tuple[Pair, ...]
    places: dict[Pair, int]

    @property
    def bytes(self) -> int:
        return BYTES * sum(row.words for row in self.rows) + len(self.rest)

    @property
    def own(self) -> np.ndarray:
        """Those of all rows."""
        return np.concatenate([row.own for row in self.rows] or [np.zeros(0, np.uint8)])


def alike(pairs: Sequence[Pair], channels: int) -> Compared:
    """A row for each number that channels are compared with."""
    levels = sorted({t for _, t in pairs})
    return _placed([([pair for pair in pairs if pair[1] == t], t, 0) for t in levels], channels)


def ranked(pairs: Sequence[Pair], channels: int, limits: Sequence[int]) -> Compared:
    """A row for the lowest number that each channel is compared with, one for the next, and so on.

    limits  (256,), or (128, 256) where numbers up to 128 have rows of their own
    """
    rows = []
    for low, limit in zip((0, *limits), limits, strict=False):
        left = sorted((pair for pair in pairs if low < pair[1] <= limit), key=lambda pair: pair[1])
        while left:
            lowest = {source: (source, t) for source, t in reversed(left)}
            rows.append((sorted(lowest.values()), 0, limit))
            left = [pair for pair in left if pair != lowest[pair[0]]]
    return _placed(rows, channels)


def _placed(rows: Sequence[tuple[Sequence[Pair], int, int]], channels: int) -> Compared:
    """Rows of (comparisons, t, limit), with their places in memory."""
    whole, at = channels // BYTES * BYTES, 0
    found: list[Row] = []
    places: dict[Pair, int] = {}
    for pairs, t, limit in rows:
        words = sorted({source // BYTES for source, _ in pairs if source < whole})
        if not words:
            continue
        first, count = words[0], words[-1] - words[0] + 1
        own = np.zeros(0 if t else BYTES * count, np.uint8)
        for pair in pairs:
            if pair[0] < whole:
                places[pair] = at + pair[0] - BYTES * first
                if limit:
                    own[pair[0] - BYTES * first] = limit - pair[1]
        found.append(Row(first, count, t, limit, own))
        at += BYTES * count
    rest = sorted(pair for pairs, _, _ in rows for pair in pairs if pair[0] >= whole)
    places.update({pair: at + i for i, pair in enumerate(rest)})
    return Compared(tuple(found), tuple(rest), places)


@dataclass(frozen=True)
class Inputs:
    """Where the inputs of tables are.

    pins    int32 (L, F), bytes
    tables  bool (L, 2^F); bit F - 1 - k of an address is input k
    """

    pins: IntArray
    tables: np.ndarray


def constants(op: Compare, x: Value) -> dict[int, bool]:
    """Comparisons that are always reached, or never."""
    fixed = np.flatnonzero((op.t <= x.lo) | (op.t > x.hi))
    return {int(j): bool(op.t[j] <= x.lo) for j in fixed}


def inputs(op: Lut, places: Sequence[int | None], known: dict[int, bool]) -> Inputs:
    """The tables of `op`, whose bit i is the byte at places[i]; a known bit takes no part."""
    wiring, tables = op.wiring, op.tables > 0
    outputs, pins = wiring.shape
    entries = np.arange(1 << pins)
    where = np.zeros((outputs, pins), np.int32)
    for row, table, found in zip(wiring.tolist(), tables, where, strict=True):
        live = [places[i] for i in row if i >= 0 and i not in known]
        found[:] = live[0] if live else 0
        for k, i in enumerate(row):
            if i < 0 or i in known:
                table[:] = table[entries & ~(1 << k) | known.get(i, False) << k]
            else:
                found[k] = places[i]
    mirrored = sum((entries >> k & 1) << (pins - 1 - k) for k in range(pins))
    return Inputs(where, tables[:, mirrored])


def words_of(found: Inputs, vectors: bool) -> np.ndarray:
    """uint32: two places a word, the first one in the low half; L is a multiple of a block.

    (L, ceil(F / 2)): the places of each table; with vectors (L / 8, F, 4): those of an input of eight tables
    """
    if vectors:
        blocks = found.pins.reshape(-1, BLOCK, found.pins.shape[1]).transpose(0, 2, 1)
        halves = blocks.astype(np.uint32)
    else:
        halves = np.pad(found.pins, [(0, 0), (0, found.pins.shape[1] % 2)]).astype(np.uint32)
    return halves[..., ::2] | halves[..., 1::2] << np.uint32(16)


def entries_of(tables: np.ndarray) -> np.ndarray:
    """uint8 (L / 8, 2^F): bit l of entry a is that of table l of the block."""
    blocks = tables.reshape(-1, BLOCK, tables.shape[1])
    return np.packbits(blocks, axis=1, bitorder="little")[:, 0]


def paired(found: Inputs, half: int) -> Inputs:
    """Places of which every other one, from the last but one on, is `half` bytes further on."""
    count = found.pins.shape[1]
    further = half * ((count - np.arange(count)) % 2 == 0)
    return Inputs((found.pins + further).astype(np.int32), found.tables)


def padded(found: Inputs, sizes: Sequence[int], first: bool = False) -> Inputs:
    """Those with tables of nothing but 0 after each group, or before it, up to a multiple of a block."""
    pins, tables, start = [], [], 0
    for size in sizes:
        missing = [(-size % BLOCK, 0) if first else (0, -size % BLOCK), (0, 0)]
        pins.append(np.pad(found.pins[start : start + size], missing))
        tables.append(np.pad(found.tables[start : start + size], missing))
        start += size
    return Inputs(np.concatenate(pins), np.concatenate(tables))
