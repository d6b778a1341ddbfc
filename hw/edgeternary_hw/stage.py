"""Register stages with back-pressure, and constant tables read in step with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from amaranth import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory

__all__ = ["counter", "loops", "mapped", "ram", "registers", "rom", "share", "table"]

Level = tuple[Value, int, Sequence[Any]]


def share(producer: Any, consumer: Any, port: str = "i") -> None:
    """Makes port `port` of the part `consumer` the very signals of the output `producer` of another part.

    The same as wiring.connect in hardware; a simulator has no assignments to run for it.
    """
    setattr(consumer, port, wiring.flipped(producer))


def registers(**fields: tuple[int, int]) -> Any:
    """Small registers of a part as one signal, name=(largest value, initial value); read and set by name."""
    layout = data.StructLayout({name: unsigned(most.bit_length()) for name, (most, _) in fields.items()})
    return Signal(layout, init={name: first for name, (_, first) in fields.items()}, name="state")


def counter(m: Module, length: int, advance: Value, name: str = "count") -> tuple[Value, Value]:
    """Counts 0 .. length - 1 round and round; (count, whether it is at the last)."""
    if length == 1:
        return Const(0, 1), Const(1, 1)
    count = Signal(range(length), name=name)
    last = count == length - 1
    with m.If(advance):
        m.d.sync += count.eq(Mux(last, 0, count + 1))
    return count, last


def loops(m: Module, levels: Sequence[Level], finish: Sequence[Any]) -> None:
    """One step of nested counters, the innermost first: (count, length, statements of a step of this level).

    `finish` is run when all of them wrap.
    """
    if not levels:
        m.d.sync += finish
        return
    (count, length, moved), *outer = levels
    if length == 1:
        loops(m, outer, finish)
        return
    with m.If(count != length - 1):
        m.d.sync += [count.eq(count + 1), *moved]
    with m.Else():
        m.d.sync += count.eq(0)
        loops(m, outer, finish)


def rom(m: Module, words: Sequence[int], width: int, address: Value, enable: Value, name: str) -> Value:
    """words[address], in the cycle after `enable`: a read port that block RAM can hold."""
    m.submodules[name] = memory = Memory(shape=unsigned(width), depth=len(words), init=words)
    port = memory.read_port()
    port.addr, port.en = address, enable
    return port.data


def ram(
    m: Module,
    width: int,
    write: tuple[Value, Value, Value],
    reads: Sequence[tuple[Value, Value]],
    name: str,
) -> list[Value]:
    """A memory with a write port (address, data, enable) and read ports (address, enable); the data of these
    is there in the cycle after."""
    depth = 1 << len(write[0])
    m.submodules[name] = memory = Memory(shape=unsigned(width), depth=depth, init=[])
    port = memory.write_port()
    port.addr, port.data, port.en = write
    results = []
    for address, enable in reads:
        read = memory.read_port()
        read.addr, read.en = address, enable
        results.append(read.data)
    return results


def table(m: Module, words: Sequence[int], width: int, advance: Value, name: str = "table") -> Value:
    """The words in turn: from the cycle after each `advance` on, the next one, round and round.

    Equal words are a constant; others lie in a ROM.
    """
    if all(word == words[0] for word in words):
        return Const(words[0], width)
    address, _ = counter(m, len(words), advance, f"{name}_address")
    return rom(m, words, width, address, advance, name)


def mapped(
    m: Module,
    i: stream.Interface,
    o: stream.Interface,
    words: Sequence[int],
    width: int,
    function: Callable[[Value, Value], Value],
) -> None:
    """o = function(payload, word) a beat, with the table's words in turn; one stage, or two with a ROM."""
    free = ~o.valid | o.ready
    if all(word == words[0] for word in words):
        m.d.comb += i.ready.eq(free)
        with m.If(i.ready):
            m.d.sync += o.valid.eq(i.valid)
            with m.If(i.valid):
                m.d.sync += o.payload.eq(function(i.payload, Const(words[0], width)))
        return
    payload = Signal.like(i.payload, reset_less=True)
    valid = Signal()
    m.d.comb += i.ready.eq(~valid | free)
    word = table(m, words, width, i.ready & i.valid)
    with m.If(i.ready):
        m.d.sync += valid.eq(i.valid)
        with m.If(i.valid):
            m.d.sync += payload.eq(i.payload)
    with m.If(free):
        m.d.sync += o.valid.eq(valid)
        with m.If(valid):
            m.d.sync += o.payload.eq(function(payload, word))
