"""edgeternary bench: instructions and cycles of models, of layers by shape, and of the suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeternary.cli import _bench_board, _bench_suite
from edgeternary.cli._output import json_option
from edgeternary.cli._target import build_of, target_options
from edgeternary.cli._tools import compiler_option, level_option, optimize_option, yosys_option
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.ir import Graph

DEFAULT_CORES = "cortex-m0plus,cortex-m4"
SUITE_CORES = "cortex-m0plus,cortex-m3,cortex-m4,cortex-m7,cortex-m33,cortex-m55"


@click.command()
@click.argument("model", metavar="[MODEL|FOLDER]", required=False)
@click.option("--on", "--core", "cores", help=f"Comma-separated. Default: {DEFAULT_CORES}; the suite: all.")
@click.option("--layer", help="With MODEL: only this layer. Else a shape, such as conv2d:24x24x8-12,k5,s2.")
@click.option(
    "--weights", default="ternary", show_default=True, help="Of the layer: ternary, binary, int4, int8."
)
@click.option(
    "--activations", default="int8", show_default=True, help="Of the layer: int8, ternary, 2-bit, binary."
)
@click.option(
    "--form", default="A", show_default=True, help="Requantize of the layer: A (shift) or B (16 bits)."
)
@click.option("--seed", default=0, show_default=True, help="Of the weights of --layer, the shapes of --draw.")
@click.option("--draw", type=click.IntRange(1), help="So many layers of random shapes, beside the suite.")
@click.option("--pairs", is_flag=True, help="The zoo's int8 networks beside ternary ones of equal accuracy.")
@click.option("--suite", type=click.Choice(["tiny"]), help="Ten layers and five networks beside int8.")
@click.option("--fpga", is_flag=True, help="Networks of the zoo on FPGAs: built, simulated, measured.")
@click.option("--boards", is_flag=True, help="Images for boards, built and verified in emulators.")
@click.option(
    "--only", multiple=True, help="Of --suite, --fpga or --boards what contains this; may be repeated."
)
@click.option("--explain", is_flag=True, help="Candidates of each layer, and why the chosen one won.")
@click.option("--board", help="With the flash of this board: code in flash, and in RAM where that pays.")
@click.option("--calibrate", is_flag=True, help="Errors of the kernels' estimates on --suite.")
@click.option("--save", is_flag=True, help="Keep the factors that --calibrate finds.")
@click.option("--document", type=click.Path(path_type=Path), help="Write the suite as FILE.md, .svg, .json.")
@click.option("--rows", type=click.Path(path_type=Path, exists=True), help="Use the rows of this .json.")
@click.option(
    "--samples", type=click.IntRange(1), default=1, show_default=True, help="Count on so many samples."
)
@target_options
@optimize_option
@compiler_option
@level_option
@yosys_option
@json_option
def command(
    model: str | None,
    cores: str | None,
    layer: str | None,
    weights: str,
    activations: str,
    form: str,
    seed: int,
    draw: int | None,
    pairs: bool,
    suite: str | None,
    fpga: bool,
    boards: bool,
    only: tuple[str, ...],
    explain: bool,
    board: str | None,
    calibrate: bool,
    save: bool,
    document: Path | None,
    rows: Path | None,
    samples: int,
    port: str | None,
    emulate: bool,
    bitstream: bool,
    baud: int | None,
    optimize: str,
    compiler: str,
    opt_level: str,
    yosys: str,
    as_json: bool,
) -> None:
    """Count instructions and cycles of the layers of MODEL, of one layer by its shape, or of the suite.

    With --port a board counts the cycles of whatever it runs; with FOLDER, a build for a board, its layers
    have names and estimates beside them, and --emulate needs no board.

    \b
    --layer takes  conv2d:HxWxC-OUT,kN,sN   depthwise:HxWxC,kN   conv1d:LxC-OUT,kN
                   pointwise:HxWxC-OUT      dense:IN-OUT         and ",valid" for no padding
    """
    options: dict[str, object] = {
        "count": samples, "compiler": compiler, "opt_level": opt_level, "optimize": optimize,
    }  # fmt: skip
    if boards:
        from edgeternary.cli._bench_boards import bench_boards

        bench_boards(only, samples, yosys, rows, document, as_json)
        return
    if port or emulate:
        from edgeternary.cli._bench_device import bench_device

        build = build_of(model, emulate) if model else None
        bench_device(build, port, emulate, bitstream, baud, samples, as_json)
        return
    if fpga:
        from edgeternary.cli._bench_fpga import bench_fpga

        bench_fpga(only, yosys, rows, document, as_json)
        return
    if board is not None:
        _bench_board.need_one(cores, board)
        cores = _bench_board.core_of(board)
    names = list(_cores(cores or (SUITE_CORES if suite or calibrate else DEFAULT_CORES)))
    if explain or (board is not None and not suite):
        graph, name, mode = _graph(model, layer, weights, activations, form, seed)
        if explain:
            _bench_board.explain(graph, names, board, optimize, as_json)
        else:
            _bench_board.show_placed(_bench_board.on_board(name, graph, mode, str(board), options), as_json)
        return
    if model is not None:
        from edgeternary.cli._bench_model import bench_model

        bench_model(model, names, layer, samples, options, as_json)
        return
    if calibrate:
        errors = _bench_suite.calibrate(only, names, options, save)
        _bench_suite.show(errors, as_json, _bench_suite.ERROR_COLUMNS)
        return
    if draw is not None:
        from edgeternary.cli._bench_draw import bench_drawn

        bench_drawn(draw, seed, weights, activations, form, names, options, as_json)
        return
    if pairs:
        from edgeternary.cli._bench_pairs import bench_pairs

        bench_pairs(names, options, as_json)
        return
    if rows is not None:
        found = json.loads(rows.read_text(encoding="utf-8"))
    elif suite is not None:
        found = _bench_suite.bench_suite(only, names, options, document)
    elif layer is not None:
        found = _bench_suite.bench_layer(layer, weights, activations, form, seed, names, options)
    else:
        raise _nothing()
    if document is not None:
        _bench_suite.write_document(found, document)
    else:
        _bench_suite.show(found, as_json)


def _graph(
    model: str | None, layer: str | None, weights: str, activations: str, form: str, seed: int
) -> tuple[Graph, str, str]:
    """The graph of MODEL or of --layer, its name, and its mode."""
    if model is not None:
        from edgeternary.cli._model import load_model

        graph = load_model(model)
        return graph, graph.name, "as trained"
    if layer is None:
        raise _nothing()
    from edgeternary.bench import layers, modes

    mode = modes.mode(weights, activations, form)
    return layers.graph(layers.parse(layer), mode, seed), layer, str(mode)


def _nothing() -> EdgeTernaryError:
    why, remedy = (
        "nothing says what to measure",
        "bench zoo:fashion-cnn, --layer dense:300-75 or --suite tiny",
    )
    return EdgeTernaryError("name a model, a layer or a suite", why, remedy, USAGE)


def _cores(text: str) -> Iterator[str]:
    """Full names of cores; "m4" is cortex-m4."""
    from edgeternary.cores import CORTEX_M

    for name in filter(None, map(str.strip, text.split(","))):
        full = name if name.startswith("cortex-") else f"cortex-{name}"
        if full not in CORTEX_M:
            why = "only the instructions of Cortex-M cores are counted"
            raise EdgeTernaryError(
                f"{name!r} is no known core", why, f"use one of {', '.join(CORTEX_M)}", USAGE
            )
        yield full
