"""The C files of a model for a core or a board, what they will need, and whether it is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeternary.boards import Board
from edgeternary.c.choices import Fetch
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import Budget, NoPlan, select
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.build import Image, Overflow
from edgeternary.ir import Graph
from edgeternary.report import board_image, fits
from edgeternary.report.fits import Limits

Files = dict[str, bytes | str]
Parts = tuple[Files, dict[str, Any], dict[str, Any], list[dict[str, Any]], dict[str, Any]]
ATTEMPTS = 4  # selections, each with the budget that the measured figures of the one before leave


@dataclass(frozen=True)
class Wishes:
    """How a model is to be built.

    compiler, opt_level  auto, zig, gcc (host: or clang), and the letter after -O
    optimize             cycles, flash or ram
    max_...              limits in bytes and cycles; None is none
    """

    compiler: str = "auto"
    opt_level: str = "2"
    optimize: str = "cycles"
    max_flash: int | None = None
    max_ram: int | None = None
    max_cycles: int | None = None


def make(
    graph: Graph, core: str, board: Board | None, build: bool, progress: Callable[[str], None], wishes: Wishes
) -> Parts:
    """Files, estimates, measured figures, layers, and what is to be said of the image: {} without one.

    A board with a port gets an image when `build` is set. EdgeTernaryError (code 5) beyond the board or a
    limit.
    """
    limits = Limits.of(board, wishes.max_flash, wishes.max_ram, wishes.max_cycles)
    progress("choosing kernels")
    plan, measured, image = _choose(graph, core, board, build, progress, wishes, limits)
    files: Files = dict(render_plan(plan))
    layers: list[dict[str, Any]] = [dict(row) for row in plan.summary()]
    facts: dict[str, Any] = {}
    if build:
        progress(f"compiling for {core}")
        files.update(objects(files, core, wishes.compiler, wishes.opt_level))
    if image is not None:
        files |= board_image.files(graph, image)
        facts = board_image.facts(plan, image)
        facts |= {word: measured[word] for word in ("flash_bytes", "ram_bytes")}
    return files, estimates(plan), measured, layers, facts


def _choose(
    graph: Graph, core: str, board: Board | None, build: bool, progress: Callable[[str], None],
    wishes: Wishes, limits: Limits,
) -> tuple[Plan, dict[str, Any], Image | None]:  # fmt: skip
    """The plan and, with `build`, its measured figures, which keep the limits too, and its image."""
    budget, fetch = limits.budget(), fetch_of(board)
    image, beyond = None, None
    for attempt in range(ATTEMPTS):
        try:
            plan = select(graph, core, wishes.optimize, budget, fetch=fetch)
        except NoPlan as missing:
            raise beyond or fits.refusal(missing, limits) from missing
        if not build or core == "host":
            return plan, {}, None
        if board is not None and board.port:
            progress(f"linking the image for {board.title}")
            image, tighter, beyond = _image(plan, board, wishes, limits, budget)
            if beyond:
                budget = tighter
                continue
        measured = _measure(plan, core, board, progress, wishes)
        figures = measured["flash_bytes"], measured["ram_bytes"], measured["cycles"]
        if attempt == ATTEMPTS - 1:
            fits.check(plan, *figures, limits)
        tighter = _tighter(budget, limits, plan, *figures)
        if tighter == budget:
            return plan, measured, image
        budget = tighter
    if beyond:
        raise beyond
    return plan, measured, image


def _image(
    plan: Plan, board: Board, wishes: Wishes, limits: Limits, budget: Budget
) -> tuple[Image | None, Budget, EdgeTernaryError | None]:
    """The image; or a budget that leaves room for what else is in it, and the refusal if no plan keeps it."""
    try:
        return board_image.make(plan, board, wishes.compiler, wishes.opt_level), budget, None
    except Overflow as overflow:
        flash, ram = board.memory()
        if overflow.region == "flash":
            tighter = replace(budget, flash=plan.flash_bytes - (overflow.needed - flash.bytes))
            return None, tighter, fits.refused(plan, limits, overflow, flash=overflow.needed)
        tighter = replace(budget, ram=plan.ram_bytes - (overflow.needed - ram.bytes))
        return None, tighter, fits.refused(plan, limits, overflow, ram=overflow.needed)


def _tighter(
    budget: Budget, limits: Limits, plan: Plan, flash: int, ram: int, cycles: float | None
) -> Budget:
    """Where a measured figure exceeds its limit, a limit of the estimate that makes up for the difference."""
    if limits.flash and flash > limits.flash.most:
        budget = replace(budget, flash=limits.flash.most - max(flash - plan.flash_bytes, 1))
    if limits.ram and ram > limits.ram.most:
        budget = replace(budget, ram=limits.ram.most - max(ram - plan.ram_bytes, 1))
    if limits.cycles and cycles is not None and cycles > limits.cycles.most:
        budget = replace(budget, cycles=limits.cycles.most * min(plan.cycles / cycles, 0.99))
    return budget


def fetch_of(board: Board | None) -> Fetch:
    """How fast code comes out of the board's flash; without a board, as fast as the core wants it."""
    return (
        Fetch() if board is None or board.flash is None else Fetch(board.flash.bandwidth, board.flash.cache)
    )


def estimates(plan: Plan) -> dict[str, Any]:
    """What the plan says, in bytes and cycles of the cost model.

    table_bytes            weights, thresholds and other constants; the code comes on top
    estimated_flash_bytes  constants and code
    static_ram_bytes       arena, states, input and output, code in RAM; the stack comes on top
    """
    return {
        "table_bytes": sum(step.table_bytes for step in plan.calls),
        "estimated_flash_bytes": plan.flash_bytes,
        "static_ram_bytes": plan.ram_bytes,
        "arena_bytes": plan.arena,
        "estimated_cycles": round(plan.cycles),
        "macs": plan.graph.macs(),
    }


def objects(files: Files, core: str, compiler: str = "auto", opt_level: str = "2") -> Files:
    """Each `.c` of `files`, compiled for `core`: {name.o: content}."""
    from edgeternary.toolchains import cache, compilers, process

    if core == "host":
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


def _measure(
    plan: Plan, core: str, board: Board | None, progress: Callable[[str], None], wishes: Wishes
) -> dict[str, Any]:
    """Figures of one inference on random codes, from the executor of the core."""
    from edgeternary.run.cortex_m import run_plan

    progress(f"measuring on an emulated {core}")
    codes = board_image.random_codes(plan.graph, 1, seed=0)
    if plan.graph.states:
        codes = codes[:, None]
    options = {"compiler": wishes.compiler, "opt_level": wishes.opt_level, "optimize": wishes.optimize}
    if board is not None:
        options["board"] = board.file
    return dict(run_plan(plan, codes, options=options).stats)
