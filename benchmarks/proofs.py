"""What `edgeternary prove` shows of builds of the zoo, and faults that it refutes, as the tables of
docs/prove.md: `python -m benchmarks.proofs [builds | faults]`.

The times are seconds of processor time of one build's proofs, synthesis and placement apart, which a second
run has in its cache.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from edgeternary import zoo
from edgeternary.hdl.constraints import Constraints
from edgeternary.ops import Compare
from edgeternary.passes.cut import with_argmax
from edgeternary.prove.build import prove, subject
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
)
from edgeternary.prove.subject import Subject

BUILDS: list[tuple[str, str, dict[str, Any]]] = [
    ("mnist-tables-800", "ecp5-25f", {"embedded": True}),
    ("mnist-tables-800", "xc7a35t", {"embedded": True, "latency": 20}),
    ("mnist-tables-1000", "xc7a35t", {"embedded": True, "latency": 20}),
    ("mnist-tables-1200-lut4", "ecp5-25f", {"embedded": True, "latency": 20, "clock": 120.0}),
    ("mnist-tables-1200-lut4", "hx8k", {"embedded": True, "latency": 20}),
    (
        "fashion-tables-5000-lut4",
        "ecp5-25f",
        {"argmax": True, "embedded": True, "latency": 40, "clock": 90.0},
    ),
    ("mnist-tables-crops", "ecp5-85f", {"argmax": True}),
]
STEPS = (GRAPH_RTL, PAUSES, RTL_NETLIST, NETLIST_BITSTREAM)
WORST = (REFUTED, OPEN, SIMULATED, PROVEN)
MINUTES = 30


def options(asked: dict[str, Any]) -> str:
    return " ".join(f"--{key}" if value is True else f"--{key} {value:g}" for key, value in asked.items())


def used() -> float:
    """Seconds of processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


def state(certificate: Certificate, step: str) -> str:
    """The worst state of a step's claims, and the tool."""
    claims = [claim for claim in certificate.claims if claim.step == step]
    if not claims:
        return "not reached"
    worst = next(one for one in WORST if any(claim.state == one for claim in claims))
    tools = dict.fromkeys(claim.by for claim in claims if claim.by and claim.state == worst)
    return f"{worst}: {'; '.join(tools)}" if tools else worst


def builds() -> None:
    print("| build | " + " | ".join(STEPS) + " | numbers | CPU seconds |\n|---|---|---|---|---|---|---|")
    for name, device, asked in BUILDS:
        graph, rest = zoo.load(name), dict(asked)
        if rest.pop("argmax", False):
            graph = with_argmax(graph)
        made = subject(graph, device, Constraints(**rest))
        _synthesised(made)
        start = used()
        certificate = prove(made, MINUTES)
        seconds = used() - start
        numbers = sum(claim.numbers for claim in certificate.claims)
        cells = " | ".join(state(certificate, step) for step in STEPS)
        title = f"`{name} --device {device} {options(asked)}`"
        print(f"| {title} | {cells} | {numbers:,} | {seconds:.0f} |", flush=True)


def _synthesised(made: Subject) -> None:
    from edgeternary.hdl.tools.synthesis import synthesise

    synthesise(made.rtl, made.top, made.device, made.yosys)


def faults() -> None:
    print("| fault | refuted | pixels that are not 0 | graph | hardware |\n|---|---|---|---|---|")
    name, device, asked = BUILDS[1]
    right = replace(subject(zoo.load(name), device, Constraints(**asked)), netlist=False)
    for title, fault in FAULTS.items():
        certificate = prove(fault(right), MINUTES)
        found = certificate.counterexample
        assert certificate.state == REFUTED and found is not None, certificate.text()
        (why,) = (claim.why for claim in certificate.claims if claim.state == REFUTED)
        lit = np.count_nonzero(found.inputs)
        print(f"| {title} | {found.layer}: {why} | {lit} of {len(found.inputs)} "
              f"| {found.expected} | {found.found} |", flush=True)  # fmt: skip


def _edited(right: Subject, pattern: str, edit: Callable[[re.Match[str]], str]) -> Subject:
    """The design with another text in place of the first match's group 1."""
    found = re.search(pattern, right.rtl)
    assert found
    return replace(right, rtl=right.rtl[: found.start(1)] + edit(found) + right.rtl[found.end(1) :])


def entry(right: Subject) -> Subject:
    """A wrong entry of a table: that of the address 0."""
    return _edited(right, r"assign \w+ = 64'h([0-9a-f]+) >>", lambda m: f"{int(m[1], 16) ^ 1:x}")


def swapped(right: Subject) -> Subject:
    """A table reads another wire."""
    pins = dict.fromkeys(re.findall(r"\w+\[\d+\](?=[,}])", right.rtl))

    def other(found: re.Match[str]) -> str:
        return next(pin for pin in pins if pin not in found[0])

    return _edited(right, r"assign \w+ = 64'h[0-9a-f]+ >> \{(\w+\[\d+\]),[^}]*\}", other)


def threshold(right: Subject) -> Subject:
    """The hardware of a network with a threshold that is off by one."""
    first, *others = right.graph.ops
    assert isinstance(first, Compare)
    t = first.t.copy()
    t[0] += 1
    graph = right.graph.with_ops([msgspec.structs.replace(first, t=t), *others])
    return replace(right, rtl=subject(graph, right.device, Constraints(**BUILDS[1][2])).rtl)


FAULTS: dict[str, Callable[[Subject], Subject]] = {
    "a wrong table entry": entry,
    "a swapped wire": swapped,
    "a threshold off by one": threshold,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or ["builds", "faults"]:
        {"builds": builds, "faults": faults}[part]()
