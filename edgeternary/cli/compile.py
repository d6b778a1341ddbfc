"""edgeternary compile: sources and estimates for a core, a device or a board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._hardware import Hardware, placed_options, wanted
from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._names import CoreName, complete_board, complete_device, short
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._record import record
from edgeternary.cli._sound import sound_option, sounding
from edgeternary.cli._tools import compiler_option, level_option, limit_options, optimize_option, yosys_option
from edgeternary.cli._used import Target, refuse_unused
from edgeternary.errors import USAGE, EdgeTernaryError

LAYER_COLUMNS = (
    "name", "kernel", "ops", "pe", "simd", "layout", "table_bytes", "output_bytes", "scratch_bytes",
    "estimated_cycles", "luts", "ffs", "ram_blocks", "single_port_rams", "cycles",
)  # fmt: skip
PADDED = "padded"  # among the estimates


@dataclass(frozen=True)
class Goal:
    """What a model is compiled for: one of them."""

    core: str | None
    device: str | None
    board: str | None

    @property
    def name(self) -> str:
        """EdgeTernaryError (code 2) where none is named, or several are."""
        named = [name for name in (self.core, self.device, self.board) if name is not None]
        if len(named) != 1:
            raise EdgeTernaryError(
                "name one target",
                "a model is compiled for one core, one device or one board",
                "--core cortex-m4, --device ice40 or --board pico",
                USAGE,
            )
        return named[0]


goal_options = record(
    "goal",
    Goal,
    click.option("--core", type=CoreName(), help=f"C: {short()}."),
    click.option(
        "--device",
        shell_complete=complete_device,
        help="Verilog for an FPGA: up5k, ecp5-25f, ice40, ...",
    ),
    click.option("--board", shell_complete=complete_board, help="The files for one of `edgeternary boards`."),
)
LIMITS = ("max_flash", "max_ram", "max_cycles")
setting_options = record(
    "settings",
    dict,
    optimize_option,
    *limit_options,
    compiler_option,
    level_option,
    yosys_option,
)


@verb()
@model_argument
@goal_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder; default: MODEL-TARGET.")
@click.option(
    "--build/--no-build",
    default=None,
    help="Compile or synthesise, too; default with --board.",
)
@click.option("--report/--no-report", default=True, help="Write report.html, report.json, README.md.")
@sound_option
@placed_options
@setting_options
@json_option
def command(
    model: str,
    goal: Goal,
    output: Path | None,
    build: bool | None,
    report: bool,
    sound: str | None,
    hardware: Hardware,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Write the sources of MODEL for one core, device or board.

    Figures are estimates, with --build measured. An older folder is replaced.

    \b
    Example:
      edgeternary compile zoo:fashion-cnn --core m4 --build
      edgeternary compile zoo:mnist-mlp-100 --device up5k --fps 8000
    """
    from edgeternary.boards import load_board
    from edgeternary.build.files import check_folder
    from edgeternary.build.project import compile

    target = goal.name
    built = bool(goal.board) if build is None else build
    limited = any(settings[name] is not None for name in LIMITS)
    board = load_board(goal.board) if goal.board else None
    aim = Target.of(goal.core, goal.device, board, built, limited)
    refuse_unused(click.get_current_context(), aim)
    graph = wanted(sounding(load_model(model), sound), hardware)
    folder = output or Path(f"{Path(model.removeprefix('zoo:')).stem}-{target}")
    check_folder(folder)
    project = compile(
        graph,
        core=goal.core or "",
        device=goal.device or "",
        board=goal.board or "",
        build=built,
        hardware=hardware.constraints(),
        **settings,
        progress=lambda text: note(f"{text} ..."),
    )
    project.write(folder, report)
    if as_json:
        print_json({**project.report(), "directory": str(folder), **_times(project, board)})
        return
    _show(project, board.clock_hz if board else 0)
    note(f"wrote {', '.join(sorted(project.files))} to {folder}")
    if report:
        note(f"{folder / 'report.html'} shows it, {folder / 'README.md'} says what comes next")


def _times(project: Any, board: Any) -> dict[str, float]:
    """ms and inferences_per_s on a board whose core runs C."""
    from edgeternary.report.times import at_clock

    if board is None or board.fpga:
        return {}
    cycles = project.measured.get("cycles") or project.estimates.get("estimated_cycles")
    return at_clock(cycles, board.clock_hz)


def _show(project: Any, clock_hz: int) -> None:
    from edgeternary.report.tables import cell, print_table, wrapped
    from edgeternary.report.times import at_clock

    if project.layers:
        print_table(project.layers, LAYER_COLUMNS, footer="")
    for title, figures in (("estimated", project.estimates), ("measured", project.measured)):
        cycles = figures.get("cycles") or figures.get("estimated_cycles")
        timed = {**figures, **({} if "frames_per_s" in figures else at_clock(cycles, clock_hz))}
        words = [f"{key} {cell(v)}" for key, v in timed.items() if v is not None and key != PADDED]
        if words:
            click.echo(wrapped(f"{title}: {', '.join(words)}"))
    if sizes := project.estimates.get(PADDED):
        click.echo(
            wrapped(f"padded with zeros, so that folds divide them (rows x columns): {', '.join(sizes)}")
        )
    facts = project.identity
    if "sections" in facts:
        sections = [f"{name} {cell(size)}" for name, size in facts["sections"].items()]
        size = f"{cell(facts['image_bytes'])} bytes of flash, at most {cell(facts['stack_bound'])} of stack"
        what = f"image: {facts['image']}, {size}, digest {facts['digest'][:16]}"
        click.echo(wrapped(f"{what}; {', '.join(sections)}"))
