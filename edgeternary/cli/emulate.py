"""edgeternary emulate: a build on its emulated board, at a port that anybody may open."""

import threading
from pathlib import Path

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import note


@verb()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--bitstream", is_flag=True, help="iCE40: simulate the packed bitstream.")
def command(folder: Path, bitstream: bool) -> None:
    """Serve the image of the build in FOLDER from an emulator.

    Prints the name of a port, which serves one host at a time until this command is interrupted: verify
    --port, run --port, bench --port, or a program of yours.

    \b
    Example:
      edgeternary compile zoo:mnist-mlp-100 --board pico -o build
      edgeternary emulate build
    """
    from edgeternary.emulate import emulated
    from edgeternary.link.build import read_build

    build = read_build(folder)
    with emulated(build, bitstream, listening=True) as board:
        click.echo(board.port)
        note(f"{build.model} on {build.board.title}, by {board.by}; Ctrl-C ends it")
        threading.Event().wait()
