"""Digests of all generated C and RTLIL of the registry's examples: a refactor leaves each line as it is.

`python -m tests.golden.digests` compares; `--update` writes digests.txt, whose lines are

    c KERNEL CORE DIGEST         the C of every plan that this kernel has a part in
    rtlil KIND FAMILY DIGEST     the hardware of every example of an op, and of whole models

The text of RTLIL depends on the version of Amaranth, which the first line names.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from edgeternary.c.render import render_plan
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from tests.c.harness import every_plan
from tests.registry.graphs import STATEFUL, WHOLE, chosen, kinds
from tests.registry.regressions import REGRESSIONS

FILE = Path(__file__).with_name("digests.txt")
CORES = ("host", "cortex-m0plus", "cortex-m4", "cortex-m55")
FAMILIES = ("ice40", "ecp5", "gowin")
PACES = (512, 3)  # multiply-accumulates a cycle: examples unfolded and folded


def digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def models() -> list[Graph]:
    return [make() for make in (*WHOLE, *STATEFUL, *REGRESSIONS)]


def c_lines(core: str) -> Iterator[str]:
    """One line a kernel."""
    texts: dict[str, list[str]] = defaultdict(list)
    for graph in [*(graph for kind in kinds() for graph in chosen(kind)), *models()]:
        for plan in every_plan(graph, core):
            text = "".join(f"{name}\n{source}" for name, source in sorted(render_plan(plan).items()))
            for kernel in sorted({step.kernel.name for step in plan.steps}):
                texts[kernel].append(text)
    for kernel in sorted(texts):
        yield f"c {kernel} {core} {digest(texts[kernel])}"


def rtlil_lines(family: str) -> Iterator[str]:
    """One line a kind of op; refused examples count by their reason."""
    for kind in kinds():
        yield f"rtlil {kind} {family} {digest(rtlil(graph, family) for graph in chosen(kind))}"
    yield f"rtlil models {family} {digest(rtlil(graph, family) for graph in models())}"


def rtlil(graph: Graph, family: str) -> str:
    """Of the design at both paces, memories placed in the family's kinds of them; where the family has
    single-port RAM, also with all weights in it, behind a loader."""
    from edgeternary.hdl import devices, loading, memory
    from edgeternary.hdl.emit import design_rtlil
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.top import build

    fabric = devices.family(family)
    texts = []
    try:
        for pace in PACES:
            design = build(graph, fold(graph, pace, kept=fabric.output_registers))
            memory.allocate(design.top.parts, fabric, None)
            texts.append(design_rtlil(design))
        if family == "ice40":
            loaded = replace(build(graph, fold(graph, PACES[1]), answer=True), single_port_rams=99)
            memory.allocate(loaded.top.parts, fabric, 0, loaded.single_port_rams)
            texts.append(design_rtlil(loading.with_loader(loaded)))
    except EdgeTernaryError as error:
        texts.append(str(error))
    return "".join(texts)


def head() -> str:
    import amaranth

    return f"amaranth {amaranth.__version__}"


def all_lines() -> list[str]:
    return [
        head(),
        *(line for core in CORES for line in c_lines(core)),
        *(line for family in FAMILIES for line in rtlil_lines(family)),
    ]


def changed(lines: Iterable[str]) -> list[str]:
    """The lines that digests.txt does not have."""
    known = set(FILE.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line not in known]


def main() -> int:
    lines = all_lines()
    if "--update" in sys.argv[1:]:
        FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return 0
    different = changed(lines)
    print("\n".join(different) or f"{len(lines)} lines, all as they were")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
