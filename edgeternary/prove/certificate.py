"""What was proven, by what, in which time, about which files; and what was not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from edgeternary.errors import BAD_INPUT, NOT_BIT_EXACT, EdgeTernaryError

PROVEN, REFUTED, OPEN, SIMULATED = "proven", "refuted", "open", "only simulated"
GRAPH_RTL, PAUSES, RTL_NETLIST, NETLIST_BITSTREAM = (
    "graph = RTL",
    "RTL, pauses and frames in a row",
    "RTL = netlist",
    "netlist = bitstream",
)


@dataclass(frozen=True)
class Claim:
    """One thing that was to be proven.

    step     graph = RTL, ...;  what: a layer, or what else
    state    proven, refuted, open or only simulated
    numbers  of the graph, or signals of the hardware, that it is about
    by       how, and the tool;  why: of what is open or only simulated
    """

    step: str
    what: str
    state: str
    numbers: int = 0
    by: str = ""
    seconds: float = 0.0
    why: str = ""


@dataclass
class Counterexample:
    """Codes of an input for which two answers differ; `simulated`: by the executor named, too."""

    layer: str
    index: int
    inputs: list[Any]
    expected: Any
    found: Any
    simulated: str = ""


@dataclass
class Certificate:
    """All claims about a build.

    digests  {graph, rtl, netlist, bitstream: SHA-256 in hexadecimal}, of those that there are
    tools    {tool: version};  options: what the design was asked for
    """

    model: str
    device: str
    options: dict[str, Any]
    claims: list[Claim] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    counterexample: Counterexample | None = None
    seconds: float = 0.0

    @property
    def state(self) -> str:
        """That of the worst claim; "proven" where some claim is, and the others are only simulated."""
        states = {claim.state for claim in self.claims}
        return next((state for state in (REFUTED, OPEN, PROVEN) if state in states), SIMULATED)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return {"state": self.state, **asdict(self)}

    def text(self) -> str:
        """For people."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        options = " ".join(f"{key}={value}" for key, value in self.options.items())
        simulated = sum(claim.state == SIMULATED for claim in self.claims)
        beside = f", {simulated} of {len(self.claims)} claims only simulated" if simulated else ""
        title = f"{self.model} for {self.device} {options}".rstrip()
        yield f"{title}: {self.state}{beside} ({self.seconds:.1f} s)"
        for step in dict.fromkeys(claim.step for claim in self.claims):
            yield f"\n{step}"
            for claim in (claim for claim in self.claims if claim.step == step):
                count = f", {claim.numbers:,} numbers" if claim.numbers else ""
                by = f" by {claim.by}" if claim.by else ""
                seconds = f", {claim.seconds:.1f} s" if claim.seconds else ""
                why = f": {claim.why}" if claim.why else ""
                yield f"  {claim.what:24} {claim.state}{by}{count}{seconds}{why}"
        yield ""
        yield from (f"SHA-256 of {name}: {digest}" for name, digest in self.digests.items())
        yield from (f"{tool} {version}" for tool, version in self.tools.items())

    def refuse(self) -> None:
        """EdgeTernaryError: code 4 where something is refuted, 1 where it is open or nothing is proven."""
        if self.state == PROVEN:
            return
        what, remedy = f"{self.model!r} is not proven", "allow more time: --minutes"
        if self.state == REFUTED:
            what = f"the hardware of {self.model!r} is not its graph"
            remedy = "the certificate holds an input for which they differ"
        elif self.state == SIMULATED:
            remedy = "compare samples: edgeternary simulate --compare"
        bad = [claim for claim in self.claims if claim.state in (self.state, OPEN)]
        lines = [f"{c.step}: {c.what} is {c.state}{f', {c.why}' if c.why else ''}" for c in bad[:8]]
        lines += [f"and {len(bad) - len(lines)} more"] if len(bad) > len(lines) else []
        raise EdgeTernaryError(
            what, "\n".join(lines), remedy, NOT_BIT_EXACT if self.state == REFUTED else BAD_INPUT
        )
