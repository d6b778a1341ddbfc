"""edgeternary compile: sources and estimates for a core, a device or a board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._hardware import Hardware, placed_options, starting_at
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._record import record
from edgeternary.cli._sizes import Count, Size
from edgeternary.cli._tools import compiler_option, level_option, optimize_option, yosys_option
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
    click.option("--core", help="C for this core: host, cortex-m0plus, m3, m4, m7, m33 or m55."),
    click.option(
        "--device",
        help="Verilog for this FPGA: hx1k, hx4k, up5k, hx8k, ecp5-25f, -45f, -85f, gw1nr-9, gw2ar-18; "
        "or a family.",
    ),
    click.option("--board", help="The files for this board; `edgeternary boards` lists the boards."),
)
LIMITS = ("max_flash", "max_ram", "max_cycles")
setting_options = record(
    "settings",
    dict,
    click.option(
        "--max-flash",
        type=Size(),
        help="C: at most this many bytes of flash, such as 64k; what comes near it is built and measured.",
    ),
    click.option("--max-ram", type=Size(), help="C: at most this many bytes of RAM."),
    click.option("--max-cycles", type=Count(), help="C: at most this many cycles an inference, such as 2M."),
    optimize_option,
    compiler_option,
    level_option,
    yosys_option,
)


@click.command()
@model_argument
@goal_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder; default MODEL-TARGET.")
@click.option(
    "--build/--no-build",
    default=None,
    help="Compile and measure the sources, or synthesise them, as well. Default: only with --board.",
)
@placed_options
@setting_options
@json_option
def command(
    model: str,
    goal: Goal,
    output: Path | None,
    build: bool | None,
    hardware: Hardware,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Write the sources of MODEL for one core, device or board, with estimates.

    The folder appears whole or not at all; one that edgeternary wrote before is replaced.
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
    graph = starting_at(load_model(model), hardware.from_layer)
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
    project.write(folder)
    if as_json:
        print_json({**project.report(), "directory": str(folder)})
        return
    _show(project)
    note(f"wrote {', '.join(sorted(project.files))} to {folder}")


def _show(project: Any) -> None:
    from edgeternary.report.tables import cell, print_table

    if project.layers:
        print_table(project.layers, LAYER_COLUMNS, footer="")
    for title, figures in (("estimated", project.estimates), ("measured", project.measured)):
        words = [f"{key} {cell(v)}" for key, v in figures.items() if v is not None and key != PADDED]
        if words:
            click.echo(f"{title}: {', '.join(words)}")
    if sizes := project.estimates.get(PADDED):
        click.echo(f"padded with zeros, so that folds divide them (rows x columns): {', '.join(sizes)}")
    facts = project.identity
    if "sections" in facts:
        sections = [f"{name} {cell(size)}" for name, size in facts["sections"].items()]
        size = f"{cell(facts['image_bytes'])} bytes of flash, at most {cell(facts['stack_bound'])} of stack"
        click.echo(f"image: {facts['image']}, {size}, digest {facts['digest'][:16]}; {', '.join(sections)}")
