"""edgeternary bench: instructions and cycles of models, of layers by shape, and of boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeternary.cli import _bench_board
from edgeternary.cli._counting import CORES, Counting, Shape, counting_options, shape_options
from edgeternary.cli._output import json_option, note_timing, print_rows
from edgeternary.cli._target import Place, build_of, target_options
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.ir import Graph


@click.command()
@click.argument("model", metavar="[MODEL|FOLDER]", required=False)
@shape_options
@click.option("--explain", is_flag=True, help="Candidates of each layer, and why one won.")
@click.option("--board", help="Code in the flash of this board, and in RAM.")
@target_options
@counting_options
@json_option
def command(
    model: str | None,
    shape: Shape,
    explain: bool,
    board: str | None,
    place: Place,
    counting: Counting,
    as_json: bool,
) -> None:
    """Count instructions and cycles of the layers of MODEL, or of a layer by its shape beside int8.

    With --port a board counts the cycles of what it runs. FOLDER, a build for a board, adds names and
    estimates of its layers; with --emulate it needs no board.

    \b
    --layer takes  conv2d:HxWxC-OUT,kN,sN   depthwise:HxWxC,kN   conv1d:LxC-OUT,kN
                   pointwise:HxWxC-OUT      dense:IN-OUT         and ",valid" for no padding
    """
    if place.port or place.emulate:
        from edgeternary.cli._bench_device import bench_device

        build = build_of(model, place.emulate) if model else None
        bench_device(build, place, counting.samples, as_json)
        return
    if model is None and shape.layer is None:
        raise EdgeTernaryError(
            "name a model or a layer",
            "nothing says what to measure",
            "bench zoo:fashion-cnn, or --layer dense:300-75",
            USAGE,
        )
    if board is not None:
        _bench_board.need_one(counting.cores, board)
    cores = [_bench_board.core_of(board)] if board is not None else counting.cores_or(CORES)
    if explain or board is not None:
        graph, name, mode = _graph(model, shape)
        if explain:
            _bench_board.explain(graph, cores, board, str(counting.options["optimize"]), as_json)
        else:
            rows = _bench_board.on_board(name, graph, mode, str(board), counting.options)
            print_rows(rows, _bench_board.PLACED, as_json)
            note_timing(() if as_json else rows, "board")
    elif model is not None:
        from edgeternary.cli._bench_model import bench_model

        bench_model(model, cores, shape.layer, counting, as_json)
    else:
        from edgeternary.cli._bench_layer import bench_layer, show

        show(bench_layer(shape, cores, counting), as_json)


def _graph(model: str | None, shape: Shape) -> tuple[Graph, str, str]:
    """The graph of MODEL or of --layer, its name, and its mode."""
    if model is not None:
        from edgeternary.cli._model import load_model

        graph = load_model(model)
        return graph, graph.name, "as trained"
    return shape.graph(), str(shape.layer), str(shape.mode)
