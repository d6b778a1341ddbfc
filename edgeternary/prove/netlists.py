"""RTL against netlist, and netlist against bitstream: logic between registers that are paired."""

from __future__ import annotations

import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from edgeternary.errors import TimedOut
from edgeternary.hdl.tools import constant_tables
from edgeternary.hdl.tools.yosys import yosys
from edgeternary.prove.certificate import OPEN, PROVEN, REFUTED, Claim
from edgeternary.prove.gates import Gates, Name, Net, Pairs, blif, functions, live, read
from edgeternary.prove.tables import luts
from edgeternary.toolchains import require, run

DIFFER = "NOT EQUIVALENT"  # what abc says
LONGEST = 1800.0  # seconds that yosys may take to make gates
REST = "t:* t:$lut %d"  # tables stay
LOWER = f"techmap {REST}; simplemap {REST}; dffunmap; opt_expr {REST}; opt_clean"
SUMS = (
    "opt_expr; opt_clean; wreduce; peepopt; opt_clean; alumacc; opt_expr; opt_clean"  # as synthesis does it
)
MEMORIES = "memory -nomap; memory_map; opt_expr; opt_clean"
FLAT = "hierarchy -check -top {top}; proc; flatten"


def of_rtl(text: str, top: str, tool: str, seconds: float = LONGEST) -> Gates:
    """The RTL as gates. Sums of several numbers are made by the passes that synthesis uses for them, too."""
    script = f"read_verilog design.v; {FLAT}; {SUMS}; {MEMORIES}; techmap -map tables.v; {LOWER}"
    return _gates(text, script, constant_tables.MAP, (top, tool, seconds))


def of_netlist(text: str, top: str, cells: tuple[str, ...], tool: str, seconds: float = LONGEST) -> Gates:
    """A netlist of a device's cells as gates, by yosys's models of these cells, but for its LUTs."""
    models = "; ".join(f"read_verilog -defer -nooverwrite -DNO_INCLUDES +/{name}" for name in cells)
    reading = f"read_verilog design.v; techmap -map tables.v; {models}; {FLAT}"
    script = f"{reading}; opt_expr; opt_clean; memory_map; {LOWER}"
    return _gates(text, script, luts(cells), (top, tool, seconds))


def _gates(text: str, script: str, tables: str, run_as: tuple[str, str, float]) -> Gates:
    """The gates that a script of yosys makes of a module. TimedOut beyond the limit.

    tables  what the script knows as tables.v;  run_as: the module, which yosys, and the seconds it may take
    """
    top, tool, seconds = run_as
    with TemporaryDirectory(prefix="edgeternary-") as name:
        Path(name, "design.v").write_text(text, encoding="utf-8")
        Path(name, "tables.v").write_text(tables, encoding="utf-8")
        whole = f"{script.format(top=top)}; write_json design.json"
        yosys(whole, what=f"{top} as gates", folder=Path(name), tool=tool, timeout=seconds)
        return read(Path(name, "design.json"), top)


def equal(step: str, one: Gates, other: Gates, pairs: Pairs, seconds: float) -> Claim:
    """Whether two netlists with the same ports do the same, by abc's combinational equivalence check.

    Registers that are paired have the same content: at first, and, if it is so, after each clock; so have
    those of the other netlist that hold the same. Those of `one` without a first value may begin with any.
    Registers of `one` that have no pair may hold anything: if all is equal nevertheless, nothing depends on
    them, as on the low bit of a number that is compared with an even one.
    """
    start = time.monotonic()
    what = "outputs and registers"

    def claim(state: str, numbers: int, why: str = "") -> Claim:
        by = f"abc {require('yosys-abc').version} (cec)" if state == PROVEN else ""
        return Claim(step, what, state, numbers, by, round(time.monotonic() - start, 2), why)

    if kinds := {**one.others, **other.others}:
        return claim(OPEN, 0, f"cells without gates: {', '.join(sorted(kinds))}")
    needed = live(one, ())
    free: dict[Net, Net] = {q: f"free{q}" for q in needed if q not in pairs.same}
    same = {q: to for q, to in pairs.same.items() if q in needed}
    if wrong := [q for q, to in same.items() if q in one.initial and one.initial[q] != _first(other, to)]:
        first = one.names[wrong[0]][0]
        return claim(REFUTED, 0, f"register {first[0]}[{first[1]}] begins with another bit")
    own = {to: to for to in same.values() if to not in ("0", "1")}
    used = live(other, ())
    again = {to: like for to, like in pairs.again.items() if to in used and (like in own or like == "0")}
    own |= again
    if wrong := [to for to, like in again.items() if _first(other, to) != _first(other, like)]:
        return claim(OPEN, 0, f"register {other.names[wrong[0]][0][0]} begins with another bit than its like")
    if extra := [q for q in used if q not in own]:
        first = other.names.get(extra[0], [("?", 0)])[0]
        return claim(OPEN, 0, f"{len(extra):,} registers are in the second netlist alone, {first[0]} for one")
    wanted = list(functions(one, same, needed))
    others = [
        (name, other.outputs[_port(name)] if name.endswith(".o") else _next(other, same[int(name[1:])]))
        for name, _ in wanted
    ]
    source = {to: q for q, to in same.items()}
    for to, like in again.items():
        wanted.append((f"e{to}", "0" if like == "0" else one.registers[source[like]]))
        others.append((f"e{to}", other.registers[to]))
    limit = max(int(seconds), 1)

    def compared(held: dict[Net, Net]) -> str:
        """What abc says, with this in the registers without a pair."""
        inputs = {net: net for net in held.values() if net != "0"}  # of both netlists
        with TemporaryDirectory(prefix="edgeternary-") as name:
            Path(name, "one.blif").write_text(blif(one, "logic", same | held, wanted), encoding="utf-8")
            Path(name, "other.blif").write_text(blif(other, "logic", own | inputs, others), encoding="utf-8")
            return run(
                [*require("yosys-abc").command, "-c", f"cec -T {limit} one.blif other.blif"],
                what="the equivalence check", cwd=Path(name), timeout=limit + 60.0,
            )  # fmt: skip

    try:
        log = compared(free)
        clear = not (free and DIFFER in log) or DIFFER in compared(dict.fromkeys(free, "0"))
    except TimedOut:
        return claim(OPEN, len(wanted), f"abc ran out of time for {_cones(wanted)}")
    if "Networks are equivalent" in log:
        return claim(PROVEN, len(wanted))
    if DIFFER in log and not clear:
        first = one.names.get(next(iter(free)), [("?", 0)])[0]
        return claim(OPEN, 0, f"{len(free):,} registers have no match, {first[0]}[{first[1]}] for one")
    if DIFFER in log:
        shown = re.findall(r"Output (\S+?)\s", log)
        return claim(REFUTED, len(wanted), f"{', '.join(shown[:4]) or 'an output'} differs")
    said = log.strip().splitlines()[-1][:120] if log.strip() else "nothing"
    return claim(OPEN, len(wanted), f"abc says {said} about {_cones(wanted)}")


def _cones(wanted: list[tuple[str, Net]]) -> str:
    """The outputs and registers whose logic was compared."""
    ports = [name for name, _ in wanted if name.endswith(".o")]
    return f"the cones of {len(ports):,} outputs and {len(wanted) - len(ports):,} registers"


def _first(gates: Gates, net: Net) -> int:
    return int(net) if net in ("0", "1") else gates.initial.get(net, 0)


def _next(gates: Gates, net: Net) -> Net:
    return net if net in ("0", "1") else gates.registers[net]


def _port(name: str) -> Name:
    port, bit, _ = name.rsplit(".", 2)
    return port, int(bit)
