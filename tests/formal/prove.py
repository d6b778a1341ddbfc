"""Proofs with the SAT solver inside yosys: no other tool is needed, and the WebAssembly yosys has it too."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from edgeternary.hdl.tools.yosys import yosys
from edgeternary.toolchains import find
from tests.formal.bench import Claim, Elaborated, bench

LOWER = "read_rtlil design.il; hierarchy -auto-top; proc; flatten; opt; memory_map; opt"
LONGEST = 100  # cycles in which the answers are waited for
SAT = "chformal -lower; opt; sat -set rst 0 -prove-asserts -set-assumes -tempinduct-baseonly -maxsteps"


class Refuted(AssertionError):
    """The solver found a run that breaks the claim."""


def prove(claim: Claim) -> int:
    """Raises `Refuted` unless the claim holds in every run of n cycles; returns n.

    n is the fewest cycles in which all answers can be out, which are found first, and the claim's slack.
    """
    fewest = _first_failure(bench(claim, witness=True), LONGEST)
    if fewest is None:
        raise Refuted(f"no run of {LONGEST} cycles gets all answers out")
    depth = fewest + claim.slack
    if (failure := _first_failure(bench(claim), depth)) is not None:
        raise Refuted(f"a run of {failure} cycles breaks the claim")
    return depth


def prove_no_loops(part: Any) -> None:
    """No ready of an input can follow that input's valid, no valid or payload of an output its ready, within
    a cycle: there is no path of gates from one to the other. Raises `Refuted`.
    """
    fragment = Elaborated(part)  # first, for some parts put other signals into their ports
    names = [name for name in part.signature.members if name[0] in "io"]
    wires = {f"{n}__{e}": getattr(getattr(part, n), e) for n in names for e in ("valid", "ready", "payload")}
    pairs = [(f"{n}__valid", f"{n}__ready") for n in names if n[0] == "i"]
    pairs += [(f"{n}__ready", f"{n}__{end}") for n in names if n[0] == "o" for end in ("valid", "payload")]
    checks = [f"tee -a found select -count i:{cause} o:{effect} %ci*:-$_DFF_P_ %i" for cause, effect in pairs]
    gates = "simplemap; dffunmap; splitnets; opt_clean"  # all registers are $_DFF_P_ then
    text = rtlil.convert(fragment, ports={k: (wire, None) for k, wire in wires.items()}, emit_src=False)
    log = _yosys(text, f"{LOWER}; {gates}; {'; '.join(checks)}")
    counts = [line for line in log.splitlines() if line.endswith(" objects.")]
    for (cause, effect), count in zip(pairs, counts[-len(pairs) :], strict=True):
        if count != "0 objects.":
            raise Refuted(f"{effect} depends on {cause} within a cycle")


def _first_failure(module: Any, depth: int) -> int | None:
    """The length of the shortest run of at most `depth` cycles that breaks an assertion, if there is one."""
    text = rtlil.convert(module, ports=[], emit_src=False)
    text = text.replace("cell \\$any", "cell $any")  # yosys's own cells, not instances of somebody's
    log = _yosys(text, f"{LOWER}; {SAT} {depth}")
    if f"proved base case for {depth} steps: SUCCESS!" in log:
        return None
    assert "model found for base case: FAIL!" in log, log[-2000:]
    return int(re.findall(r"\[base case (\d+)\]", log)[-1])


def _yosys(text: str, script: str) -> str:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "design.il").write_text(text, encoding="utf-8")
        tool = "native" if find("yosys").found else "yowasp"  # the native one starts in no time
        return yosys(script, what="a proof", folder=Path(name), tool=tool)
