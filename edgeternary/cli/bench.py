"""edgeternary bench: instructions and cycles of models, of layers by shape, and of boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeternary.cli import _bench_board
from edgeternary.cli._counting import CORES, Counting, Shape, limited_options, shape_options
from edgeternary.cli._help import verb
from edgeternary.cli._names import complete_board, complete_model
from edgeternary.cli._output import json_option, note_timing, print_rows, until_interrupted
from edgeternary.cli._sound import sound_option, sounding
from edgeternary.cli._target import Place, build_of, target_options
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.ir import Graph


@verb()
@click.argument("model", metavar="[MODEL|FOLDER]", required=False, shell_complete=complete_model)
@shape_options
@click.option("--explain", is_flag=True, help="List the candidates of each layer.")
@click.option("--board", shell_complete=complete_board, help="Count on this board, code in flash and in RAM.")
@sound_option
@target_options
@limited_options
@json_option
def command(
    model: str | None,
    shape: Shape,
    explain: bool,
    board: str | None,
    sound: str | None,
    place: Place,
    counting: Counting,
    as_json: bool,
) -> None:
    """Count instructions and cycles of each layer on emulated cores.

    Of MODEL, or of a --layer beside int8; of a build in FOLDER on its board.

    \b
    Example:
      edgeternary bench zoo:fashion-cnn --core m4
      edgeternary bench --layer conv2d:24x24x8-12,k5,s2 --weights ternary
    """
    if place.port or place.emulate:
        from edgeternary.cli._bench_device import bench_device

        counting.refuse_limits("the build has its kernels already")
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
        graph, name, mode = _graph(model, shape, sound)
        if explain:
            counting.refuse_limits("--explain lists what could be chosen")
            _bench_board.explain(graph, cores, board, str(counting.options["optimize"]), as_json)
        else:
            rows, end = until_interrupted(_bench_board.on_board(name, graph, mode, str(board), counting))
            print_rows(rows, _bench_board.PLACED, as_json)
            note_timing(() if as_json else rows, "board")
            end()
    elif model is not None:
        from edgeternary.cli._bench_model import bench_model

        bench_model(model, cores, shape.layer, sound, counting, as_json)
    else:
        from edgeternary.cli._bench_layer import bench_layer, show

        show(bench_layer(shape, cores, counting), as_json)


def _graph(model: str | None, shape: Shape, sound: str | None) -> tuple[Graph, str, str]:
    """The graph of MODEL or of --layer, its name, and its mode."""
    if model is not None:
        from edgeternary.cli._model import load_model

        graph = sounding(load_model(model), sound)
        return graph, graph.name, "as trained"
    return shape.graph(), str(shape.layer), str(shape.mode)
