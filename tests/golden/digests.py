"""Digests of the generated C and of the hardware of many graphs: a refactor leaves each line as it is.

`python -m tests.golden.digests [KIND ...]` compares and prints the lines that differ; `--update` writes
digests.txt. KIND is the first word of the lines:

    c KERNEL CORE DIGEST              the C of every plan in which the kernel has a part
    plan GRAPH CORE OBJECTIVE DIGEST  the C and the estimates of the plan that is chosen
    rtlil OP FAMILY DIGEST            the hardware of an op's examples, folded and nearly unfolded, with its
                                      estimates; on ice40 also with the weights in single-port RAM
    design MODEL DEVICE DIGEST        what the planner makes for a device

The text of RTLIL depends on the version of Amaranth, which the first line names.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import amaranth

from benchmarks.fpga import ENTRIES, network
from edgeternary import zoo
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.cores import CORES
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import devices, estimate, loading, memory, plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.emit import design_rtlil
from edgeternary.hdl.folding import fold
from edgeternary.hdl.parts import layers
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from tests.c import lanes_nets
from tests.c.harness import every_plan
from tests.registry.graphs import STATEFUL, WHOLE, chosen, kinds
from tests.registry.regressions import REGRESSIONS

FILE = Path(__file__).with_name("digests.txt")
FAMILIES = ("ice40", "ecp5", "gowin")
PACES = (512, 3)  # cycles a frame may take: folded and nearly unfolded
OBJECTIVES = ("cycles", "flash", "ram")
ZOO = (
    "mnist-cnn-small",
    "mnist-mlp-binary-64",
    "fashion-cnn-2bit",
    "fashion-cnn-binary",
    "keywords-ds-cnn-int8",
)


def digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def models() -> list[Graph]:
    return [make() for make in (*WHOLE, *STATEFUL, *REGRESSIONS)]


def text(made: Plan) -> str:
    return "".join(f"{name}\n{source}" for name, source in sorted(render_plan(made).items()))


def c_lines() -> Iterator[str]:
    graphs = [*(graph for kind in kinds() for graph in chosen(kind)), *models(), *lanes_nets.nets()]
    for core in CORES:
        texts: dict[str, list[str]] = defaultdict(list)
        for graph in graphs:
            for made in every_plan(graph, core):
                rendered = text(made)
                for kernel in {step.kernel.name for step in made.steps}:
                    texts[kernel].append(rendered)
        for kernel in sorted(texts):
            yield f"c {kernel} {core} {digest(texts[kernel])}"


def plan_lines() -> Iterator[str]:
    """Whole networks: what the cost models choose, and the cost that they tell of each step."""
    graphs = [*models(), *lanes_nets.nets(), *(zoo.load(name) for name in ZOO)]
    for k, graph in enumerate(graphs):
        for core in ("host", "cortex-m0plus", "cortex-m4", "cortex-m55"):
            for optimize in OBJECTIVES:
                made = select(graph, core, optimize)
                costs = [str(step.offer.cost) for step in made.steps]
                yield f"plan {graph.name}-{k} {core} {optimize} {digest([text(made), *costs])}"


def rtlil_lines() -> Iterator[str]:
    for family in FAMILIES:
        for kind in sorted(layers().keys() & set(kinds())):
            yield f"rtlil {kind} {family} {digest(hardware(graph, family) for graph in chosen(kind))}"
        yield f"rtlil models {family} {digest(hardware(graph, family) for graph in models())}"


def hardware(graph: Graph, family: str) -> str:
    """RTLIL and estimates at both paces; a graph that is refused counts by its reason."""
    kept, texts = devices.family(family).output_registers, []
    try:
        for pace in PACES:
            texts.append(described(build(graph, fold(graph, pace, kept=kept)), family, None))
        if family == "ice40":
            loaded = replace(build(graph, fold(graph, PACES[1]), answer=True), single_port_rams=99)
            estimated = estimate.by_part(loaded, family, 0)
            placed = memory.placed(loaded, devices.family(family), 0, loaded.single_port_rams)
            texts.append(f"{estimated}{design_rtlil(loading.with_loader(placed))}")
    except EdgeTernaryError as error:
        texts.append(str(error))
    return "".join(texts)


def described(design: Design, family: str, available: int | None) -> str:
    placed = memory.placed(design, devices.family(family), available, design.single_port_rams)
    return f"{estimate.by_part(design, family, available)}{placed.cycles}{design_rtlil(placed)}"


def design_lines() -> Iterator[str]:
    for entry in ENTRIES:
        made = plan.design(network(entry), Constraints(entry.device, entry.fps))
        yield f"design {entry.model} {entry.device} {digest([str(made.cycles), design_rtlil(made)])}"


LINES: dict[str, Callable[[], Iterator[str]]] = {
    "c": c_lines,
    "plan": plan_lines,
    "rtlil": rtlil_lines,
    "design": design_lines,
}


def head() -> str:
    return f"amaranth {amaranth.__version__}"


def main(words: list[str]) -> int:
    """Exit code 1 where a line differs."""
    wanted = [word for word in words if word != "--update"] or list(LINES)
    written = FILE.read_text(encoding="utf-8").splitlines()
    others = [line for line in written[1:] if line.split()[0] not in wanted]
    lines = [head(), *sorted([*others, *(line for kind in wanted for line in LINES[kind]())])]
    if "--update" in words:
        FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return 0
    gone, new = sorted(set(written) - set(lines)), sorted(set(lines) - set(written))
    for line in (*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)):
        print(line)
    print(
        f"{len(new)} digests differ" if new else f"{len(lines) - len(others) - 1} digests, all as they were"
    )
    return 1 if gone or new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
