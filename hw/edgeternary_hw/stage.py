"""Register stages with back-pressure, and constant tables read in step with them."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .single_port import Filling

__all__ = [
    "AUTO", "Memories", "MemorySize", "Place", "Storage", "Streams", "counter", "later", "mapped", "ram",
    "rom", "share", "table",
]  # fmt: skip

AUTO = "auto"
NEAR = 128  # bits of a ROM in logic with a counter of their own: more of them lie further from it


class Streams(wiring.Component):
    """A component whose ports are streams, of `ports[name]` bits: i... come in, o... go out."""

    def __init__(self, **ports: int) -> None:
        signatures = {name: stream.Signature(unsigned(bits)) for name, bits in ports.items()}
        super().__init__({name: (In if name[0] == "i" else Out)(s) for name, s in signatures.items()})


@dataclass(frozen=True)
class MemorySize:
    """`depth` words of `width` bits with `reads` read ports; a ROM unless `writable`."""

    depth: int
    width: int
    writable: bool = False
    reads: int = 1


@dataclass(frozen=True)
class Storage:
    """Where the memories of a part lie.

    styles  {name: "block", "distributed", "logic" or "huge"}; synthesis decides about one that is not named
    slices  {name: n}: the memory is built of memories side by side, each n bits wide: blocks that are deep
            enough, so that no choice between several follows them
    late    block RAMs of the fabric answer late in the cycle: a register follows before anything else
    inside  such registers lie in the block RAMs themselves, which have no reset for them here
    packed  ROMs hold five ternary weights in a byte, and a stage takes them apart
    fills   {name: what fills a memory of style "huge" after configuration}
    """

    styles: Mapping[str, str] = field(default_factory=dict)
    slices: Mapping[str, int] = field(default_factory=dict)
    late: bool = False
    inside: bool = False
    packed: bool = False
    fills: Mapping[str, Filling] = field(default_factory=dict)


class Place(NamedTuple):
    """Where one memory lies, see Storage."""

    style: str = AUTO
    slice: int = 0
    filling: Filling | None = None


ANYWHERE = Place()  # synthesis decides


class Memories:
    """A part that has memories: their sizes by name, and where they lie.

    FILLED  names of memories that a loader can fill
    KEPT    names of those which a register follows in any case, at once or after wires
    INNER   names of attributes that are parts with memories of their own
    """

    storage: Storage = Storage()
    FILLED: tuple[str, ...] = ()
    KEPT: tuple[str, ...] = ()
    INNER: tuple[str, ...] = ()

    def stored(self, storages: Mapping[str, Storage], path: str = "") -> Self:
        """A copy of the part on the same ports, its memories where `storages` puts them.

        path  the key of this part; those of its inner parts follow after a dot. Without a key nothing changes
        """
        part = copy(self)
        part.storage = storages.get(path, self.storage)
        for name in self.INNER:
            setattr(part, name, getattr(self, name).stored(storages, f"{path}.{name}"))
        return part

    @property
    def late(self) -> bool:
        return self.storage.late

    @property
    def inside(self) -> bool:
        return self.storage.inside

    def keeps(self, name: str) -> bool:
        """Whether a register can follow this memory, for blocks that answer late."""
        return False

    def after(self, name: str) -> bool:
        """Whether that register is needed."""
        return self.late and self.style(name) == "block"

    @property
    def memories(self) -> dict[str, MemorySize]:
        raise NotImplementedError

    def contents(self, name: str) -> list[int] | None:
        """The words of a ROM, None where they are not known beforehand."""
        return None

    def words(self, name: str) -> list[int]:
        """All words of one of FILLED."""
        raise NotImplementedError

    def style(self, name: str) -> str:
        return self.storage.styles.get(name, AUTO)

    def place(self, name: str) -> Place:
        """Where a memory of this part lies: what `rom`, `ram` and `table` want to know."""
        return Place(self.style(name), self.storage.slices.get(name, 0), self.storage.fills.get(name))


def share(producer: Any, consumer: Any, port: str = "i") -> None:
    """Makes port `port` of the part `consumer` the very signals of the output `producer` of another part.

    The same as wiring.connect in hardware; a simulator has no assignments to run for it.
    """
    setattr(consumer, port, wiring.flipped(producer))


def counter(
    m: Module, length: int, advance: Value, name: str = "count", first: int = 0
) -> tuple[Value, Value]:
    """Counts 0 .. length - 1 round and round from `first` on; (count, at the last: a flip-flop)."""
    if length == 1:
        return Const(0, 1), Const(1, 1)
    count = Signal(range(length), name=name, init=first)
    last = Signal(name=f"{name}_last", init=first == length - 1)
    with m.If(advance):
        m.d.sync += [count.eq(Mux(last, 0, count + 1)), last.eq(count == length - 2)]
    return count, last


def rom(
    m: Module,
    words: Sequence[int],
    width: int,
    address: Value,
    enable: Value,
    name: str,
    place: Place = ANYWHERE,
) -> Value:
    """words[address], in the cycle after `enable`: a read port that block RAM can hold."""
    attributes = {"rom_style": place.style} if place.style != AUTO else {}
    data = []
    for part, first, size in _sliced(name, width, place.slice):
        mask = (1 << size) - 1
        init = [word >> first & mask for word in words]
        m.submodules[part] = memory = Memory(
            shape=unsigned(size), depth=len(words), init=init, attrs=attributes
        )
        port = memory.read_port()
        m.d.comb += [port.addr.eq(address), port.en.eq(enable)]
        data.append(port.data)
    return _joined(data)


def _sliced(name: str, width: int, slice: int) -> list[tuple[str, int, int]]:
    """(name, first bit, bits) of the memories side by side."""
    if not 0 < slice < width:
        return [(name, 0, width)]
    return [(f"{name}_{k}", k, min(slice, width - k)) for k in range(0, width, slice)]


def _joined(data: list[Value]) -> Value:
    return data[0] if len(data) == 1 else Cat(*data)


def ram(
    m: Module,
    width: int,
    write: tuple[Value, Value, Value],
    reads: Sequence[tuple[Value, Value]],
    name: str,
    place: Place = ANYWHERE,
) -> list[Value]:
    """A memory with a write port (address, data, enable) and read ports (address, enable); the data of these
    is there in the cycle after."""
    depth = 1 << len(write[0])
    attributes = {"ram_style": place.style} if place.style != AUTO else {}
    results: list[list[Value]] = [[] for _ in reads]
    for part, first, size in _sliced(name, width, place.slice):
        m.submodules[part] = memory = Memory(shape=unsigned(size), depth=depth, init=[], attrs=attributes)
        port = memory.write_port()
        port.addr, port.data, port.en = write[0], write[1][first : first + size], write[2]
        for (address, enable), found in zip(reads, results, strict=True):
            read = memory.read_port()
            read.addr, read.en = address, enable
            found.append(read.data)
    return [_joined(found) for found in results]


def table(
    m: Module,
    words: Sequence[int],
    width: int,
    advance: Value,
    name: str = "table",
    place: Place = ANYWHERE,
    later: Value | None = None,
) -> Value:
    """The words in turn: from the cycle after each `advance` on, the next one, round and round.

    Equal words are a constant; others lie in a ROM, or where the place's filling puts them. With `later` they
    lie in logic and the word comes a stage later, in the cycle after `later`.
    """
    if all(word == words[0] for word in words):
        return Const(words[0], width)
    if later is not None:
        return Cat(
            _piece(m, words, (NEAR * k, min(NEAR, width - NEAR * k)), (advance, later), f"{name}_{k}", place)
            for k in range(-(-width // NEAR))
        )
    address, _ = counter(m, len(words), advance, f"{name}_address")
    if place.filling:
        return place.filling.rom(m, len(words), width, address, advance, name)
    return rom(m, words, width, address, advance, name, place)


def _piece(
    m: Module,
    words: Sequence[int],
    bits: tuple[int, int],
    moves: tuple[Value, Value],
    name: str,
    place: Place,
) -> Value:
    """Some of the words' bits, (first, how many), in logic with a counter near them.

    Between the two is a register, else the logic is found to share the counter's adder and waits for its
    carries. The counter of piece k is k words ahead and so are its words: equal counters would be found and
    made one.

    moves  (advance, later) of `table`
    """
    (first, width), (advance, later) = bits, moves
    ahead, mask = first // NEAR % len(words), (1 << width) - 1
    address, _ = counter(m, len(words), advance, f"{name}_address", ahead)
    at = Signal.like(address, name=f"{name}_at", init=0)
    with m.If(advance):
        m.d.sync += at.eq(address)
    turned = [*words[-ahead:], *words[:-ahead]] if ahead else words
    return rom(m, [word >> first & mask for word in turned], width, at, later, name, Place(place.style))


def mapped(
    m: Module,
    part: Any,
    words: Sequence[int],
    width: int,
    first: Callable[[Value, Value], Value],
    *others: Callable[[Value], Value],
) -> None:
    """o = ... others[0](first(payload, word)), the words of the part's "table" in turn, a beat a cycle.

    A register follows every function, and one holds the payload while a ROM is read; all move together. Where
    block RAMs answer late, there is a stage more for what the ROM answers.
    """
    i, o, kept = part.i, part.o, part.after("table")
    move = Signal(name="move")
    m.d.comb += [move.eq(~o.valid | o.ready), i.ready.eq(move)]
    valid: Value = i.valid
    value: Value = i.payload
    word: Value = Const(words[0], width)
    if any(other != words[0] for other in words):
        word = table(m, words, width, move & i.valid, "table", part.place("table"))
        value, valid = _stage(m, move, value, valid, "read")
        if kept:
            word = later(m, move, "word", word)[0]
            value, valid = _stage(m, move, value, valid, "kept")
    value = first(value, word)
    for k, function in enumerate(others):
        value, valid = _stage(m, move, value, valid, f"stage{k}")
        value = function(value)
    with m.If(move):
        m.d.sync += [o.valid.eq(valid), o.payload.eq(value)]


def later(m: Module, move: Value, name: str, *values: Value) -> list[Value]:
    """The values one stage later; constants stay as they are."""
    found: list[Value] = []
    for k, value in enumerate(values):
        if isinstance(value, Const) or not len(value):
            found.append(value)
            continue
        register = Signal(len(value), name=f"{name}_{k}", reset_less=True)
        with m.If(move):
            m.d.sync += register.eq(value)
        found.append(register)
    return found


def _stage(m: Module, move: Value, value: Value, valid: Value, name: str) -> tuple[Value, Value]:
    held = Signal(len(value), name=name, reset_less=True)
    there = Signal(name=f"{name}_valid")
    with m.If(move):
        m.d.sync += [held.eq(value), there.eq(valid)]
    return held, there
