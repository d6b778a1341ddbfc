"""Everything that can be proven about the hardware of a model for a device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeternary.errors import EdgeTernaryError, TimedOut
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.prove.certificate import (
    GRAPH_RTL,
    NETLIST_BITSTREAM,
    OPEN,
    PAUSES,
    PROVEN,
    REFUTED,
    RTL_NETLIST,
    SIMULATED,
    Certificate,
    Claim,
)
from edgeternary.prove.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.top import Design
    from edgeternary.prove.gates import Gates

Told = Callable[[str], None]


def subject(graph: Graph, device: str, asked: Constraints, *, rtl: str = "", yosys: str = "auto") -> Subject:
    """The design of a graph for a device; `rtl`: its Verilog, where a file has it already."""
    from edgeternary.build.fpga import planned
    from edgeternary.hdl.emit import design_verilog

    design, constraints = planned(graph, device, asked)
    usual = vars(type(constraints)())
    given = {
        key: value for key, value in vars(constraints).items() if value != usual[key] and key != "device"
    }
    return Subject(graph, design, device, rtl or design_verilog(design), yosys=yosys, options=given)


def of_folder(folder: Path, yosys: str = "auto") -> Subject:
    """What `compile --device` wrote to a folder: its Verilog, and its bitstream if there is one.

    EdgeTernaryError for a folder that holds no design for a device.
    """
    from edgeternary.build import manifest
    from edgeternary.ir.file import load

    found, _ = manifest.read(folder)
    if not found.options.device:
        raise EdgeTernaryError(
            f"{folder} holds no core for an FPGA",
            "a core of compile --device is what can be proven; on a board a serial link is around it",
            "name a folder of compile --device, or a model and --device",
        )
    graph = load(folder / found.graph)
    verilog = folder / f"{identifier(graph.name)}.v"
    if not verilog.is_file():
        raise EdgeTernaryError(f"{folder} has no Verilog", f"{verilog.name} is not there", "compile it again")
    rtl = verilog.read_text(encoding="utf-8")
    made = subject(graph, found.options.device, found.options.hardware, rtl=rtl, yosys=yosys)
    bitstream = folder / "design.bin"
    made.bitstream = bitstream.read_bytes() if bitstream.is_file() else b""
    return made


def prove(subject: Subject, minutes: float, progress: Told = lambda text: None) -> Certificate:
    """The certificate of a design; what is not proven after `minutes` is open."""
    from edgeternary.ir.file import to_bytes
    from edgeternary.prove.steps import digest, versions

    start = time.monotonic()
    deadline = start + 60 * minutes
    made = Certificate(subject.graph.name, subject.device, subject.options)
    made.digests = {"graph": digest(to_bytes(subject.graph)), "rtl": digest(subject.rtl)}
    made.tools = versions(subject)
    _function(subject, made, deadline, progress)
    if made.state != REFUTED:
        _netlist(subject, made, deadline, progress)
    made.seconds = round(time.monotonic() - start, 1)
    return made


def _function(subject: Subject, made: Certificate, deadline: float, progress: Told) -> None:
    """Graph against RTL, alone and with pauses."""
    from edgeternary.prove import netlist, rtl
    from edgeternary.prove.layers import Prover
    from edgeternary.prove.observe import observe
    from edgeternary.prove.solve import Yosys

    if why := _opaque(subject.design):
        made.claims.append(Claim(GRAPH_RTL, "all layers", SIMULATED, why=why))
        return
    progress("reading the RTL")
    module = netlist.of_rtl("design.v", subject.rtl, subject.top, subject.yosys)
    try:
        known = {op.name for op in subject.graph.ops}
        observed = observe(subject.design, module, known, progress, deadline)
    except TimeoutError as error:
        made.claims.append(Claim(GRAPH_RTL, "all layers", OPEN, why=f"time ran out after {error}"))
        return
    prover = Prover(subject.graph, observed, deadline, Yosys(subject.yosys).largest)
    for proof in rtl.proofs(subject.graph, subject.design, prover, progress):
        found = rtl.claim(proof)
        if proof.refuted:
            from edgeternary.prove.counterexample import confirmed

            progress("looking for an input that shows it")
            made.counterexample = confirmed(subject, prover, proof.refuted)
            if made.counterexample is None:
                found = Claim(found.step, found.what, OPEN, found.numbers, "", found.seconds,
                              f"{found.why}, no input was found that leads there")  # fmt: skip
        made.claims.append(found)
    if made.state == PROVEN:
        made.claims.append(_pauses(subject, module, observed, deadline, progress))


def _opaque(design: Design) -> str:
    """Why nothing of a design can be proven, "" where something can."""
    if design.stateful:
        return "it keeps states between steps"
    if design.weights:
        return "a loader fills its memories after configuration"
    return ""


def _pauses(subject: Subject, module: Any, observed: Any, deadline: float, progress: Told) -> Claim:
    from edgeternary.prove.explore import Explorer

    what, start = "every order of pauses", time.monotonic()
    if not subject.design.folding.wired:
        return Claim(PAUSES, what, SIMULATED, why="its parts are folded: their states are too many")
    if why := Explorer.why_not(subject.design, module):
        return Claim(PAUSES, what, SIMULATED, why=why)
    progress("pauses and frames in a row")
    try:
        states = Explorer(subject.design, module, observed, deadline).run()
    except TimeoutError as error:
        return Claim(PAUSES, what, OPEN, why=f"time ran out: {error}")
    except EdgeTernaryError as error:
        return Claim(PAUSES, what, REFUTED, why=str(error))
    by = f"all {states:,} states of its handshake"
    return Claim(PAUSES, what, PROVEN, by=by, seconds=round(time.monotonic() - start, 2))


def _netlist(subject: Subject, made: Certificate, deadline: float, progress: Told) -> None:
    """RTL against netlist, netlist against bitstream."""
    from edgeternary.hdl.devices import PARTS, family
    from edgeternary.hdl.tools.synthesis import cell_types, synthesise
    from edgeternary.prove import netlists
    from edgeternary.prove.gates import paired
    from edgeternary.prove.steps import digest

    what = "outputs and registers"
    if not subject.netlist:
        return
    progress(f"synthesis for {subject.device}")
    _, folder = synthesise(subject.rtl, subject.top, subject.device, subject.yosys)
    text = (folder / "netlist.v").read_text(encoding="utf-8")
    made.digests["netlist"] = digest(text)
    fabric = family(subject.device)
    if rams := [
        kind for kind in cell_types(folder) if kind.startswith(fabric.rams) or kind == fabric.single_port
    ]:
        why = f"block RAM ({', '.join(rams)}) has registers of its own"
        made.claims.append(Claim(RTL_NETLIST, what, SIMULATED, why=why))
        return
    try:
        progress("the RTL as gates")
        rtl = netlists.of_rtl(subject.rtl, subject.top, subject.yosys, _left(deadline))
        progress("the netlist as gates")
        gates = netlists.of_netlist(text, subject.top, fabric.cells, subject.yosys, _left(deadline))
    except TimedOut as error:
        why = f"time ran out before any cone was compared: {error.what}"
        made.claims.append(Claim(RTL_NETLIST, what, OPEN, why=why))
        return
    progress("RTL against netlist")
    made.claims.append(netlists.equal(RTL_NETLIST, rtl, gates, paired(rtl, gates), _left(deadline)))
    if made.state == REFUTED:
        return
    part = PARTS.get(subject.device)
    if fabric.name != "ice40" or not part or "embedded" in subject.options:
        why = "no tool gives its netlist back" if part and fabric.name != "ice40" else "there is no bitstream"
        made.claims.append(Claim(NETLIST_BITSTREAM, what, SIMULATED, why=why))
        return
    _bitstream(subject, made, (folder / "netlist.json", gates), deadline, progress)


def _left(deadline: float) -> float:
    """Seconds until then, one at least."""
    return max(deadline - time.monotonic(), 1.0)


def _bitstream(
    subject: Subject, made: Certificate, found: tuple[Path, Gates], deadline: float, progress: Told
) -> None:
    """Netlist (its file, its gates) against bitstream."""
    from edgeternary.prove import bitstream, netlists, signatures
    from edgeternary.prove.steps import digest

    placed = bitstream.placed(found[0], subject.device, subject.graph.name, subject.bitstream, progress)
    progress("the bitstream as gates")
    data, back = bitstream.gates(placed, subject.device, subject.top, subject.yosys)
    made.digests["bitstream"] = digest(data)
    progress("netlist against bitstream")
    pairs = signatures.matched(found[1], back)
    claim = netlists.equal(NETLIST_BITSTREAM, found[1], back, pairs, _left(deadline))
    if claim.state == REFUTED:  # which register is which is a guess here
        claim = replace(claim, state=OPEN, why=f"with registers matched by what they hold: {claim.why}")
    made.claims.append(claim)
