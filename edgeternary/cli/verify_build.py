"""edgeternary verify-build: a compiled folder made again and compared byte for byte."""

from pathlib import Path

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json


@verb()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Make what compile wrote to FOLDER again, and compare every byte.

    The model and edgeternary.json of FOLDER say how. Exit code 4: a file was edited, is missing, or has other
    bytes when it is made again; tools of other versions are named.

    \b
    Example:
      edgeternary verify-build fashion-cnn-pico
    """
    from edgeternary.build.again import again
    from edgeternary.report.tables import print_table

    found = again(folder, lambda text: note(f"{text} ..."))
    rows = [{"file": f.file, "state": f.state, "difference": f.why or None} for f in found.files]
    tools = [{"tool": name, "then": then, "now": now} for name, (then, now) in found.tools.items()]
    if as_json:
        print_json({"files": rows, "tools": tools})
    else:
        print_table(rows, ("file", "state"), footer="" if found.wrong else "Every byte is equal.")
        if tools:
            print_table(tools, ("tool", "then", "now"), footer="These versions differ.")
    found.refuse(folder)
