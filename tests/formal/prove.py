"""Proofs by bounded model checking, with the SAT solver inside yosys, which the WebAssembly yosys has too.

Where abc is installed, as beside the native yosys, it does the same in a quarter of the time.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from edgeternary.hdl.tools.yosys import yosys
from edgeternary.toolchains import find, process
from tests.formal.bench import Claim, Elaborated, bench

LOWER = "read_rtlil design.il; hierarchy -auto-top; proc; flatten; opt; memory_map; opt"
LONGEST = 100  # cycles in which the answers are waited for
AIG = (
    "chformal -lower; connect -set rst 1'0; opt; async2sync; dffunmap; techmap; simplemap; setundef -zero; "
    "abc -g AND; opt_clean; write_aiger -zinit design.aig"
)
CHECK = "read_aiger design.aig; fold; strash; bmc3 -F"  # assumptions become part of what is asserted
SAT = "chformal -lower; opt; sat -set rst 0 -prove-asserts -set-assumes -tempinduct-baseonly -maxsteps"


class Refuted(AssertionError):
    """The solver found a run that breaks the claim."""


def prove(claim: Claim) -> int:
    """Raises `Refuted` unless the claim holds in every run of n cycles; returns n.

    n is the fewest cycles in which all answers can be out, which are found first, and the claim's slack.
    """
    fewest = _first_failure(bench(claim, witness=True), LONGEST, there=True)
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
    with tempfile.TemporaryDirectory() as name:
        log = _yosys(text, f"{LOWER}; {gates}; {'; '.join(checks)}", Path(name))
    counts = [line for line in log.splitlines() if line.endswith(" objects.")]
    for (cause, effect), count in zip(pairs, counts[-len(pairs) :], strict=True):
        if count != "0 objects.":
            raise Refuted(f"{effect} depends on {cause} within a cycle")


def _first_failure(module: Any, depth: int, *, there: bool = False) -> int | None:
    """The length of the shortest run of at most `depth` cycles that breaks an assertion, if there is one.

    there  there will be one, which the solver inside yosys finds sooner than abc reads its file
    """
    text = rtlil.convert(module, ports=[], emit_src=False)
    text = text.replace("cell \\$any", "cell $any")  # yosys's own cells, not instances of somebody's
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not there and all(find(tool).found for tool in ("yosys", "yosys-abc")):
            _yosys(text, f"{LOWER}; {AIG}", folder)
            log = process.run(
                [*find("yosys-abc").command, "-c", f"{CHECK} {depth}"], what="a proof", cwd=folder
            )
            if f"No output asserted in {depth} frames" in log:
                return None
            found = re.search(r"was asserted in frame (\d+)", log)
            assert found, log[-2000:]
            return int(found[1]) + 1
        log = _yosys(text, f"{LOWER}; {SAT} {depth}", folder)
    if f"proved base case for {depth} steps: SUCCESS!" in log:
        return None
    assert "model found for base case: FAIL!" in log, log[-2000:]
    return int(re.findall(r"\[base case (\d+)\]", log)[-1])


def _yosys(text: str, script: str, folder: Path) -> str:
    (folder / "design.il").write_text(text, encoding="utf-8")
    tool = "native" if find("yosys").found else "yowasp"  # the native one starts in no time
    return yosys(script, what="a proof", folder=folder, tool=tool)
