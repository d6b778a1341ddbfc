"""Weights in RAM that no bitstream fills: the network with a loader, and the bytes that it takes."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from amaranth import Module, ResetInserter, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.memory import holders, stored
from edgeternary.hdl.ports import Top
from edgeternary.hdl.top import Design
from edgeternary_hw import Loader
from edgeternary_hw.flash import lead_clocks
from edgeternary_hw.single_port import SINGLE, Filling, columns
from edgeternary_hw.stage import Memories, Storage

NAME = "loader"  # of its instance, and of what it takes in reports
OFFSET = 0x20000  # of the weights in a flash, after the bitstream: that of a UP5K has 104,090 bytes


@dataclass(frozen=True)
class Filled:
    """A memory of the part at `path`, see hdl.memory, that is filled after configuration."""

    path: str
    part: Memories
    memory: str

    @property
    def columns(self) -> int:
        return columns(self.part.memories[self.memory].width)

    @property
    def depth(self) -> int:
        return self.part.memories[self.memory].depth


def filled(parts: Sequence[tuple[str, Any]]) -> list[Filled]:
    """The memories that `hdl.memory.allocate` put there, in the order in which they are filled."""
    return [
        Filled(path, part, name)
        for path, part in holders(parts)
        for name in part.FILLED
        if part.style(name) == SINGLE
    ]


def payload(memories: Sequence[Filled]) -> bytes:
    """Memory by memory, column of 16 bits by column, word by word: two bytes each, the low one first."""
    found = []
    for memory in memories:
        words = memory.part.words(memory.memory)
        size = 2 * memory.columns
        rows = np.frombuffer(b"".join(word.to_bytes(size, "little") for word in words), "<u2")
        found.append(rows.reshape(len(words), memory.columns).T.tobytes())
    return b"".join(found)


def image(bitstream: bytes, weights: bytes) -> bytes:
    """The contents of a flash: the bitstream at 0, the weights at OFFSET, between them what is erased."""
    assert len(bitstream) <= OFFSET
    return bitstream.ljust(OFFSET, b"\xff") + weights


def start_up_cycles(design: Design, clock_hz: int) -> int:
    """Clocks from configuration until the weights have come out of a flash, whose bits take two each."""
    return lead_clocks(clock_hz) + 16 * len(design.weights) + 1


def start_up_ms(design: Design, clock_hz: int) -> float:
    return round(1e3 * start_up_cycles(design, clock_hz) / clock_hz, 1)


class LoadedTop(wiring.Component):
    """A network that takes and gives nothing until the loader has filled its memories from `load`.

    load__done    all bytes came and were the right ones
    load__failed  they were not: it never answers
    load__clear   resets the network, not its memories
    """

    def __init__(self, top: Top, memories: Sequence[Filled], weights: bytes) -> None:
        depths = [memory.depth for memory in memories for _ in range(memory.columns)]
        self.loader = Loader(depths, zlib.crc32(weights))
        storages: dict[str, Storage] = {}
        first = 0
        for memory in memories:
            storage = storages.get(memory.path, memory.part.storage)
            fills = {**storage.fills, memory.memory: Filling(self.loader.bus, first)}
            storages[memory.path] = replace(storage, fills=fills)
            first += memory.columns
        self.network = top.with_parts(stored(top.parts, storages))
        for part in (self, self.loader):
            part._MustUse__silence = True  # it may be wanted for figures alone
        super().__init__(
            {
                **{n: In(stream.Signature(unsigned(len(getattr(top, n).payload)))) for n in top.inputs},
                **{n: Out(stream.Signature(unsigned(len(getattr(top, n).payload)))) for n in top.outputs},
                "load": In(stream.Signature(unsigned(8))),
                "load__done": Out(1),
                "load__failed": Out(1),
                "load__clear": In(1),
            }
        )

    @property
    def parts(self) -> list[tuple[str, Any]]:
        return self.network.parts

    def elaborate(self, platform: object) -> Module:
        m = Module()
        loader, inner = self.loader, self.network
        m.submodules[NAME] = loader
        for name, part in self.parts:
            m.submodules[name] = ResetInserter(self.load__clear)(part)
        wiring.connect(m, wiring.flipped(self.load), loader.i)
        m.d.comb += [self.load__done.eq(loader.loaded), self.load__failed.eq(loader.failed)]
        for name in inner.inputs:
            inside, here = getattr(inner, name), getattr(self, name)
            m.d.comb += [
                inside.payload.eq(here.payload),
                inside.valid.eq(here.valid & loader.loaded),
                here.ready.eq(inside.ready & loader.loaded),
            ]
        for name in inner.outputs:
            wiring.connect(m, getattr(inner, name), wiring.flipped(getattr(self, name)))
        return m


def with_loader(design: Design) -> Design:
    """The design with a loader, if memories of it are filled after configuration."""
    memories = filled(design.top.parts)
    if not memories:
        return design
    weights = payload(memories)
    top = LoadedTop(design.top, memories, weights)
    return replace(design.with_parts(top.parts), top=top, weights=weights)
