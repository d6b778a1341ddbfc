"""Executor qemu:BOARD: the whole image on a board that qemu-system-arm emulates, files by semihosting."""

from collections.abc import Mapping

import numpy as np

from edgeternary.boards import Board, load_all, load_board
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run._bench import BenchModel, empty_result, exchange
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains import require

TARGETED = True  # the core or board is part of the name


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states.

    target   a board of kind emulated: mps2_an385, mps2_an386, mps2_an500, mps2_an505, mps3_an547
    options  compiler (zig, gcc, auto), opt_level ("2"), timeout (seconds for all samples), progress
    """
    board = emulated_board(target)
    chosen = Options.read(options)
    model = render(graph, board.core, taps=taps, optimize=chosen.optimize)
    return execute(graph, inputs, board, model, chosen)


def emulated_board(name: str) -> Board:
    """The board called `name`, which QEMU must emulate with the UART that the bench prints on."""
    usable = [b.name for b in load_all().values() if b.kind == "emulated" and b.port == "mps2"]
    board = load_board(name or usable[0])
    if board.name not in usable:
        raise EdgeTernaryError(
            f"executor qemu cannot run {board.name}",
            "the bench has no port for it",
            f"use {', '.join(usable)}",
            USAGE,
        )
    return board


def execute(graph: Graph, inputs: np.ndarray, board: Board, model: BenchModel, options: Options) -> Result:
    """Run C that is already there."""
    require("qemu-system-arm")
    if len(inputs) == 0:
        return empty_result(graph, inputs)
    from edgeternary.run._emulator.image import Regions, link
    from edgeternary.run._emulator.qemu import command

    image = link(
        model,
        board.core,
        Regions.of(board),
        compiler=options.compiler,
        opt_level=options.opt_level,
        taps="written" if model.taps else "none",
    )
    what = f"model {model.prefix} on QEMU's {board.name}"
    started = command(board, image.elf.path)
    outputs, found = exchange(graph, inputs, model, started, what=what, options=options)
    return Result(
        outputs=outputs,
        taps=found,
        stats={
            "flash_bytes": image.flash_bytes,
            "compiler": image.compiler,
            "opt_level": options.opt_level,
            "qemu": require("qemu-system-arm").version,
        },
    )
