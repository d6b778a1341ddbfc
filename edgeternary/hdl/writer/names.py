"""Names in Verilog: what a wire is called says which part gives it.

A stream between two parts bears the name of the part that sends it (`conv1_payload`, `conv1_valid`,
`conv1_ready`), in the module around them and in the one that takes it; its own output a part calls o.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeternary.hdl.writer.live import Live
from edgeternary.hdl.writer.netlist import Cell, Module
from edgeternary.ir.names import KEYWORDS, identifier

# Words of SystemVerilog that may be the identifier of a layer, and are the name of no wire here.
MORE = frozenset(
    """accept_on alias always_comb always_ff always_latch assume before bind bins binsof bit bufif0 bufif1
    byte chandle covergroup coverpoint endchecker endclocking endconfig endgenerate endgroup
    endinterface endpackage endprimitive endprogram endproperty endspecify endsequence endtable
    eventually expect foreach forkjoin highz0 highz1 ignore_bins illegal_bins implements implies incdir
    interconnect join_any join_none let longint nettype nexttime noshowcancelled notif0 notif1
    pulsestyle_ondetect pulsestyle_onevent randcase randsequence reject_on rtranif0 rtranif1 s_always
    s_eventually s_nexttime s_until s_until_with shortint shortreal showcancelled soft string strong0
    strong1 sync_accept_on sync_reject_on throughout tranif0 tranif1 unique0 until until_with untyped
    wait_order weak0 weak1""".split()
)
RESERVED = KEYWORDS | MORE
BACK = "ready"  # goes against the stream


@dataclass
class Names:
    """{name in RTLIL: name in Verilog} of a module's wires, memories and instances."""

    module: str
    wires: dict[str, str] = field(default_factory=dict)
    memories: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=set)  # instances around it, whose names it leaves alone
    taken: set[str] = field(default_factory=set)

    def new(self, base: str) -> str:
        """`base`, or with a number after it if that is taken; no keyword."""
        base = base if base not in RESERVED else f"{base}_"
        name, number = base, 2
        while name in self.taken or name in self.scopes:
            name, number = f"{base}_{number}", number + 1
        self.taken.add(name)
        return name


def plain(name: str) -> str:
    """A name without what makes it unique and what Verilog's plain identifiers cannot have."""
    base = re.sub(r"\$\d+$", "", name.lstrip("\\")).lstrip("$")
    base = re.sub(r"[^A-Za-z0-9_]+", "_", base).strip("_") or "wire_"
    return base if not base[0].isdigit() else f"n_{base}"


def named(modules: Mapping[str, Module], live: Mapping[str, Live]) -> dict[str, Names]:
    """Names for all modules, the top one, which keeps those of its ports, first."""
    found: dict[str, Names] = {}
    modules_taken: set[str] = set()
    for name in modules:
        made = identifier(".".join(map(plain, name.split("."))), modules_taken)
        modules_taken.add(made)
        found[name] = Names(name.lstrip("\\") if not found else made)
    for k, (name, module) in enumerate(modules.items()):
        names = found[name]
        if not k:
            names.wires = {wire.name: names.new(wire.name.lstrip("\\")) for wire in module.ports}
        owners = _owners(live[name])
        _inside(module, live[name], names, owners)
        for cell in live[name].kept:
            if cell.kind in modules:
                _ports(modules[cell.kind], cell, names, found[cell.kind], owners)
    return found


def _inside(module: Module, live: Live, names: Names, owners: Mapping[str, str]) -> None:
    """Names of all but the ports and what is nameless."""
    for memory in module.memories:
        names.memories[memory] = names.new(plain(memory))
    for cell in live.kept:
        names.instances[cell.name] = names.new(plain(cell.name))
    for wire in module.wires:
        if wire in names.wires or not (live.uses.get(wire) or wire in owners):
            continue
        if wire in owners:
            names.wires[wire] = names.new(f"{names.instances[owners[wire]]}_{_last(wire)}")
        elif wire[0] != "$":
            names.wires[wire] = names.new(plain(wire))


def _owners(live: Live) -> dict[str, str]:
    """{wire: the instance that it is named after}: that which drives it; of a ready, that which reads it."""
    drivers: dict[str, str] = {}
    readers: dict[str, str] = {}
    for cell in live.kept:
        inner = live.done.get(cell.kind)
        for port, spec in cell.ports.items():
            for piece in spec:
                output = inner and inner.module.wires[f"\\{port}"].kind == "output"
                (drivers if output else readers).setdefault(piece.wire, cell.name)
    ready = {wire: name for wire, name in readers.items() if plain(wire).endswith(f"_{BACK}")}
    return drivers | {wire: name for wire, name in ready.items() if wire in drivers}


def _last(wire: str) -> str:
    """payload, valid or ready of a stream; of other wires the name."""
    base = plain(wire)
    return base.split("__")[-1]


def _ports(module: Module, cell: Cell, outer: Names, names: Names, owners: Mapping[str, str]) -> None:
    """Names of an instance's ports: its own streams' as they are, those of others after their senders."""
    names.scopes = {*outer.scopes, outer.instances[cell.name]}
    for wire in module.ports:
        spec = cell.ports[wire.name[1:]]
        whole = spec[0].wire if len(spec) == 1 else ""
        around = "" if owners.get(whole) == cell.name else outer.wires.get(whole, "")
        names.wires[wire.name] = names.new(around or plain(wire.name))
