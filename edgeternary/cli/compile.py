"""edgeternary compile: sources and estimates for a core, a device or a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeternary.cli._hardware import Hardware, hardware_options, starting_at
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._record import record
from edgeternary.cli._sizes import Count, Size
from edgeternary.cli._tools import tool_options
from edgeternary.cli._used import Target, refuse_unused
from edgeternary.errors import USAGE, EdgeTernaryError

LAYER_COLUMNS = (
    "name", "kernel", "ops", "pe", "simd", "layout", "table_bytes", "output_bytes", "scratch_bytes",
    "estimated_cycles", "luts", "ffs", "ram_blocks", "single_port_rams", "cycles",
)  # fmt: skip
PADDED = "padded"  # among the estimates
limit_options = record(
    "limits",
    dict,
    click.option(
        "--max-flash",
        type=Size(),
        help="C: at most this many bytes of flash, such as 64k; what comes near it is built and measured.",
    ),
    click.option("--max-ram", type=Size(), help="C: at most this many bytes of RAM."),
    click.option("--max-cycles", type=Count(), help="C: at most this many cycles an inference, such as 2M."),
)


@click.command()
@model_argument
@click.option("--core", help="C for this core: host, cortex-m0plus, m3, m4, m7, m33 or m55.")
@click.option(
    "--device",
    help="Verilog for this FPGA: hx1k, hx4k, up5k, hx8k, ecp5-25f, -45f, -85f, gw1nr-9; a family.",
)
@click.option("--board", help="The files for this board; `edgeternary boards` lists the boards.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder; default MODEL-TARGET.")
@click.option(
    "--build/--no-build",
    default=None,
    help="Compile and measure the sources, or synthesise them, as well. Default: only with --board.",
)
@limit_options
@hardware_options
@click.option("--seeds", type=click.IntRange(1, 50), help="FPGA: seeds of place and route; the best is kept.")
@tool_options
@json_option
@click.pass_context
def command(
    context: click.Context,
    model: str,
    core: str | None,
    device: str | None,
    board: str | None,
    output: Path | None,
    build: bool | None,
    limits: dict[str, Any],
    hardware: Hardware,
    seeds: int | None,
    tools: dict[str, Any],
    as_json: bool,
) -> None:
    """Write the sources of MODEL for one core, device or board, with estimates.

    The folder appears whole or not at all; one that edgeternary wrote before is replaced.
    """
    from edgeternary.boards import load_board
    from edgeternary.build.files import check_folder
    from edgeternary.build.project import compile

    if sum(choice is not None for choice in (core, device, board)) != 1:
        raise EdgeTernaryError(
            "name one target",
            "a model is compiled for one core, one device or one board",
            "--core cortex-m4, --device ice40 or --board pico",
            USAGE,
        )
    built = bool(board) if build is None else build
    limited = any(limit is not None for limit in limits.values())
    refuse_unused(context, Target.of(core, device, load_board(board) if board else None, built, limited))
    graph = starting_at(load_model(model), hardware.from_layer)
    folder = output or Path(f"{Path(model.removeprefix('zoo:')).stem}-{core or device or board}")
    check_folder(folder)
    project = compile(
        graph,
        core=core or "",
        device=device or "",
        board=board or "",
        build=built,
        hardware=hardware.constraints(seeds),
        **limits,
        **tools,
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
        words = [
            f"{key} {cell(value)}" for key, value in figures.items() if value is not None and key != PADDED
        ]
        if words:
            click.echo(f"{title}: {', '.join(words)}")
    if sizes := project.estimates.get(PADDED):
        click.echo(f"padded with zeros, so that folds divide them (rows x columns): {', '.join(sizes)}")
    facts = project.identity
    if "sections" in facts:
        sections = [f"{name} {cell(size)}" for name, size in facts["sections"].items()]
        size = f"{cell(facts['image_bytes'])} bytes of flash, at most {cell(facts['stack_bound'])} of stack"
        click.echo(f"image: {facts['image']}, {size}, digest {facts['digest'][:16]}; {', '.join(sections)}")
