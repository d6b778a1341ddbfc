"""bench-accuracy: the accuracy of models on a folder of pictures or sounds by class."""

from pathlib import Path

import click

from benchmarks import accuracy
from edgeternary.cli._output import json_option, note, print_rows
from edgeternary.cli._record import defaulted

COLUMNS = ("model", "folder", "samples", "right", "accuracy", "low", "high")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("models", nargs=-1, required=True)
@defaulted("--on", default="host", help="The executor of the integer graph.")
@json_option
def command(folder: Path, models: tuple[str, ...], on: str, as_json: bool) -> None:
    """MODELS on FOLDER/CLASS/*: right answers, and the 95 % interval of the accuracy."""
    print_rows([accuracy.measure(model, folder, on) for model in models], COLUMNS, as_json)
    if not as_json:
        note("low and high are the ends of Wilson's interval of 95 %")
