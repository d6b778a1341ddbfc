"""The C files of a model for a core or a board, what they need, and whether the board has it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from edgeternary.boards import Board
from edgeternary.build import board_image
from edgeternary.build.judged import Judge, Judged
from edgeternary.build.limits import Limits, beyond, together
from edgeternary.build.made import Files, Made
from edgeternary.build.settings import Settings
from edgeternary.c.choices import Fetch
from edgeternary.c.explain import explain_plan
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.search.search import MAX_LABELS
from edgeternary.c.select import LIMITED_LABELS, Budget, NoPlan, Planner
from edgeternary.cores import core as find_core
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph

__all__ = [
    "Settings",
    "choose",
    "counted",
    "estimates",
    "fetch_of",
    "flash_of_calls",
    "judged",
    "make",
    "objects",
]

Row = Mapping[str, Any]
COUNTED = ("instructions", "cycles", "cycles_most")  # of each step, where they were counted
ATTEMPTS = 4  # selections, each with the budget that the measured figures of the one before leave


def make(
    graph: Graph,
    core: str,
    board: Board | None,
    build: bool,
    progress: Callable[[str], None],
    settings: Settings,
) -> Made:
    """The C of a model; with `build` also objects, measured figures and, for a board with a port, an image.

    EdgeTernaryError (code 5) where it needs more than the board has or a limit allows.
    """
    progress("choosing kernels")
    limited = settings.max_flash or settings.max_ram or settings.max_cycles
    planner = _planner(graph, core, fetch_of(board), LIMITED_LABELS if limited else MAX_LABELS)
    chosen = judged(planner, core, board, build, progress, settings)
    plan, measured, image = chosen.plan, chosen.measured, chosen.image
    files: Files = dict(render_plan(plan))
    layers = counted(plan.summary(), chosen.layers)
    facts: dict[str, Any] = {}
    if build:
        progress(f"compiling for {core}")
        files.update(objects(files, core, settings.compiler, settings.opt_level))
    if image is not None:
        files |= board_image.files(graph, image)
        facts = board_image.facts(plan, image)
        facts |= {word: measured[word] for word in ("flash_bytes", "ram_bytes")}
    remarks = {"not_measured": chosen.why} if chosen.why else {}
    explain = partial(explain_plan, planner, plan)
    return Made(files, {**estimates(plan), **remarks}, measured, layers, facts, plan, explain)


_last: list[tuple[tuple[Graph, str, Fetch], Planner]] = []


def _planner(graph: Graph, core: str, fetch: Fetch, labels: int) -> Planner:
    """The plans of a graph. Those of the last one are kept: a build without limits follows one that fails."""
    for key, planner in _last:
        if key == (graph, core, fetch) and planner.search.max_labels >= labels:
            return planner
    _last[:] = [((graph, core, fetch), Planner(graph, core, fetch=fetch, max_labels=labels))]
    return _last[0][1]


def counted(rows: Sequence[Row], layers: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of a plan's summary, with the instructions and cycles that an executor counted for a step."""
    found = {layer["step"]: layer for layer in layers}
    return [
        {**row, **{word: found[step][word] for word in COUNTED if word in found.get(step, {})}}
        for step, row in enumerate(rows)
    ]


def judged(
    planner: Planner, core: str, board: Board | None, build: bool, progress: Callable[[str], None],
    settings: Settings,
) -> Judged:  # fmt: skip
    """The best plan that keeps the limits of the settings and of the board, and its figures.

    EdgeTernaryError (code 5) where there is none.
    """
    limits = Limits.of(board, settings.max_flash, settings.max_ram, settings.max_cycles)
    judge = Judge(core, board, build, progress, settings, limits)
    return choose(planner, settings.optimize, limits, judge)


def choose(planner: Planner, optimize: str, limits: Limits, judge: Judge) -> Judged:
    """The best plan that keeps the limits as it is judged.

    Where it does not, the next one has to keep a tighter budget of estimates; at last the smallest plans are
    judged. EdgeTernaryError (code 5) where they do not keep the limits either.
    """
    budget = limits.budget()
    for _ in range(ATTEMPTS):
        try:
            found = judge(planner.choose(optimize, budget))
        except NoPlan:
            break
        if found.refusal is None:
            return found
        budget = found.tighter(budget)
    nearest = {what: _nearest(planner, what, limits, judge) for what in limits.named()}
    for judged in nearest.values():
        if judged is not None and judged.refusal is None:
            return judged
    raise _refusal(planner, limits, judge, nearest)


def _nearest(planner: Planner, what: str, limits: Limits, judge: Judge) -> Judged | None:
    """Of the plans that should take least of `what`, and the fastest, the one that does, as they are judged.

    It keeps the other limits, which takes some attempts; None where none is found that does.
    """
    for choose in (planner.least, planner.choose, _fastest(planner)):  # estimates may have the wrong order
        budget = replace(limits.budget(), **{what: None})
        for _ in range(ATTEMPTS):
            try:
                plan = choose(what, budget)
            except NoPlan:
                break
            if plan is None:
                break
            judged = judge(plan)
            if judged.beyond.keys() <= {what}:
                break
            budget = replace(judged.tighter(budget), **{what: None})
    found = [judged for judged in judge.known() if judged.beyond.keys() <= {what}]
    return min(found, key=lambda judged: judged.figure(what), default=None)


def _fastest(planner: Planner) -> Callable[[str, Budget], Plan]:
    return lambda what, budget: planner.choose("cycles", budget)


def _refusal(
    planner: Planner, limits: Limits, judge: Judge, nearest: dict[str, Judged | None]
) -> EdgeTernaryError:
    """A limit that no plan keeps, or several that no plan keeps together."""
    for what in limits.named():
        for plan in (planner.least(what), planner.choose(what, Budget())):
            if plan is not None:
                judge(plan)
        least = min(judge.known(), key=lambda judged: judged.figure(what))
        if what in least.beyond:
            return beyond(least.plan, least.figure(what), what, limits)
    fastest = planner.least("cycles")
    assert fastest is not None
    needs = {what: judged.figure(what) for what, judged in nearest.items() if judged is not None}
    return together(judge(fastest), needs)


def fetch_of(board: Board | None) -> Fetch:
    """How fast code comes out of the board's flash; without a board, as fast as the core wants it."""
    return (
        Fetch() if board is None or board.flash is None else Fetch(board.flash.bandwidth, board.flash.cache)
    )


def estimates(plan: Plan) -> dict[str, Any]:
    """What the plan says, in bytes and cycles of the cost model.

    table_bytes            weights, thresholds and other constants; the code comes on top
    estimated_flash_bytes  constants and code, never below the constants of a step
    static_ram_bytes       arena, states, input and output, code in RAM; the stack comes on top
    """
    return {
        "table_bytes": sum(plan.tables),
        "estimated_flash_bytes": sum(flash_of_calls(plan)),
        "static_ram_bytes": plan.ram_bytes,
        "arena_bytes": plan.arena,
        "estimated_cycles": round(plan.cycles),
        "macs": plan.graph.macs(),
    }


def flash_of_calls(plan: Plan) -> list[int]:
    """Estimated bytes of each call, never below its constants."""
    return [max(step.offer.cost.flash, own) for step, own in zip(plan.calls, plan.tables, strict=True)]


def objects(files: Files, core: str, compiler: str = "auto", opt_level: str = "2") -> Files:
    """Each `.c` of `files`, compiled for `core`: {name.o: content}."""
    from edgeternary.toolchains import cache, compilers, process

    if find_core(core).native:
        chosen = compilers.for_host(compiler, opt_level)
    else:
        chosen = compilers.for_core(core, compiler, opt_level)
    made: Files = {}
    env = cache.zig_environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_text(str(content), encoding="utf-8")
        for file in sorted(files):
            if file.endswith(".c"):
                target = f"{file[:-2]}.o"
                command = [*chosen.command, *chosen.compile, "-c", file, "-o", target]
                process.run(command, what=f"compiling {file} with {chosen}", cwd=folder, env=env)
                made[target] = (folder / target).read_bytes()
    return made
