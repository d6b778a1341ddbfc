"""Executor cortex-m0plus, -m3, -m4, -m7, -m33, -m55: the model's C on an emulated core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.c.plan import Plan
from edgeternary.cores import cortex_m as find_core
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run._bench import BenchModel, decode_outputs, decode_taps, empty_result, lead_shape
from edgeternary.run._model import of_plan, render
from edgeternary.run._options import Options
from edgeternary.run.result import Result, Stat
from edgeternary.toolchains import compilers, require

if TYPE_CHECKING:
    from edgeternary.run._emulator.image import Regions
    from edgeternary.run._emulator.parts import Parts
    from edgeternary.run._emulator.session import Session

TARGETED = True  # the core or board is part of the name
SHARED = True  # processes may share the samples


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states.

    target   what follows cortex-m in the core's name: 0plus, 3, 4, 7, 33 or 55
    options  compiler (zig, gcc, auto), opt_level ("2"), optimize (cycles, flash, ram), count (samples to
             count instructions on; 1), timeout (seconds for all samples), progress (a callable), board
             (its flash delays the cycles; none: code arrives at once), flash_wait (wait states of a
             flash without a board, "2", or "2:8" with the bytes that it reads at once)

    All samples run at full speed; the first `count` of them run again, without taps, under a counter. Stats:
    instructions and cycles per inference (mean over the counted ones, from entry to return of
    <model>_run; cycles None with the reason in `timing`), flash_bytes, ram_bytes, stack_bytes. With wait
    states `cycles` are those with the flash's cache and prefetcher, and cycles_most those without.
    """
    core = find_core(f"cortex-m{target}").name
    chosen = Options.read(options)
    tapped = render(graph, core, taps=True, optimize=chosen.optimize) if taps else None
    return execute(graph, inputs, core, render(graph, core, optimize=chosen.optimize), tapped, chosen)


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[Session]:
    """A session of `graph`, which has states, on a core that unicorn runs.

    stats  instructions and cycles, the mean of the first steps; timing, flash_bytes, compiler
    """
    core, chosen = find_core(f"cortex-m{target}"), Options.read(options)
    if not core.unicorn:
        raise EdgeTernaryError(
            f"{core.name} cannot run step by step",
            "its only emulator takes all inputs at once",
            "use numpy, host, cortex-m0plus, -m3, -m4, -m7 or -m33",
            USAGE,
        )
    for tool in ("unicorn", "capstone"):
        require(tool)
    from edgeternary.run._emulator.session import Session

    session = Session(graph, core.name, chosen)
    with session.bench.machine.time_limit(chosen.timeout):
        yield session


def run_plan(plan: Plan, inputs: np.ndarray, *, options: Mapping[str, object] = {}) -> Result:
    """Run a plan that is there already, on the core that it was made for.

    stats also has table_bytes, kernel_bytes and routine_bytes, which flash_bytes is made of.
    """
    chosen = Options.read(options)
    found = execute(plan.graph, inputs, plan.core.name, of_plan(plan), None, chosen)
    return replace(found, stats={**parts_of(plan, options).words(), **found.stats}) if len(inputs) else found


def flash_of(plan: Plan, options: Mapping[str, object] = {}) -> dict[str, Stat]:
    """flash_bytes of a plan that is built and not run, its parts, compiler and opt_level."""
    return {**parts_of(plan, options).words(), **_built_by(options, plan.core.name)}


def parts_of(plan: Plan, options: Mapping[str, object] = {}) -> Parts:
    """What the flash of a built plan is made of; see `Parts`."""
    from edgeternary.run._emulator.image import link
    from edgeternary.run._emulator.parts import parts

    chosen, core = Options.read(options), plan.core.name
    image = link(of_plan(plan), core, _regions(core), compiler=chosen.compiler, opt_level=chosen.opt_level)
    return parts(plan, image)


def _built_by(options: Mapping[str, object], core: str) -> dict[str, Stat]:
    chosen = Options.read(options)
    compiler = compilers.for_core(core, chosen.compiler, chosen.opt_level)
    return {"compiler": str(compiler), "opt_level": chosen.opt_level}


def _regions(core: str) -> Regions:
    """Room for any model; of a core that QEMU runs, the memory of its board."""
    from edgeternary.run._emulator.image import ROOMY, Regions

    if find_core(core).unicorn:
        return ROOMY
    from edgeternary.run._emulator.qemu import board_of

    return Regions.of(board_of(core))


def execute(
    graph: Graph,
    inputs: np.ndarray,
    core: str,
    model: BenchModel,
    tapped: BenchModel | None,
    options: Options,
) -> Result:
    """Run C that is already there: `model` is measured; with `tapped`, that one gives answers and taps."""
    emulator = "unicorn" if find_core(core).unicorn else "qemu-system-arm"
    for tool in (emulator, "capstone") if emulator == "unicorn" else (emulator,):
        require(tool)
    if len(inputs) == 0:
        return empty_result(graph, inputs)
    from edgeternary.run._emulator.image import Image, link
    from edgeternary.run._emulator.report import layer_rows, totals
    from edgeternary.run._emulator.timing import waits

    regions = _regions(core)
    if emulator == "unicorn":
        from edgeternary.run._emulator.measure import answers, measure

        watched = "watched"
    else:
        from edgeternary.run._emulator.qemu import answers, measure

        watched = "written"

    def image_of(model: BenchModel, taps: str) -> Image:
        return link(model, core, regions, compiler=options.compiler, opt_level=options.opt_level, taps=taps)

    stats: dict[str, Stat] = {}
    layers: list[dict[str, Stat]] = []
    if options.count > 0 or tapped is None:
        running = image = image_of(model, "none")
        stats["flash_bytes"] = image.flash_bytes
    if options.count > 0:
        fetch = waits.fetch(options.board, options.flash_wait)
        measured = measure(graph, image, core, inputs[: options.count], options.timeout, fetch)
        stats |= totals(image, measured)
        layers = layer_rows(image, measured)
    if tapped is not None:
        running = image_of(tapped, watched)
    stats["compiler"] = running.compiler
    stats["opt_level"] = options.opt_level
    stats["optimize"] = options.optimize
    stats[emulator] = require(emulator).version
    output, tap_bytes = answers(graph, running, core, inputs, options.progress, options.timeout)
    lead = lead_shape(graph, inputs)
    return Result(
        outputs=decode_outputs(graph, output, lead),
        taps=decode_taps(running.model.taps, tap_bytes, lead),
        stats=stats,
        layers=layers,
    )
