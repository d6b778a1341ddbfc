"""edgeternary flash: puts the image of a build onto its board."""

import shlex
from pathlib import Path

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json


@verb()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--probe", default="", metavar="ID", help="Debug probe or drive, if there are several.")
@click.option("--tool", default="", metavar="NAME", help="One of the tools that the board's file names.")
@click.option("--dry-run", is_flag=True, help="Check the image; print the command only.")
@json_option
def command(folder: Path, probe: str, tool: str, dry_run: bool, as_json: bool) -> None:
    """Write the image of the build in FOLDER to its board.

    FOLDER is what compile --board wrote. The tool is the first that the board's file names and this machine
    has: pyocd, probe-rs, openocd, st-flash, dfu-util, uf2 (a copy to the board's drive), picotool,
    openFPGALoader, iceprog or ecpprog. The image is read back where the tool can. One for another board, one
    that was changed since it was built, or that does not fit is refused.

    \b
    Example:
      edgeternary flash build --dry-run
    """
    from edgeternary.flash import flash
    from edgeternary.link.build import read_build

    done = flash(read_build(folder), tool, probe, dry_run, note)
    if as_json:
        print_json(done)
    elif dry_run:
        click.echo(shlex.join(done["command"]))
    else:
        how = (
            "read back and equal" if done["verified"] else "not read back: edgeternary verify does it better"
        )
        click.echo(f"{done['image']} (build {done['digest'][:16]}) is on {done['board']}, {how}.")
