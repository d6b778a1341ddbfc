"""The MODEL argument: a file (.et, .tflite, .onnx, .nir), or zoo:NAME."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeternary.cli._names import ZOO, complete_model
from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.ir import Graph

model_argument = click.argument("model", metavar="MODEL", shell_complete=complete_model)


def load_model(text: str) -> Graph:
    """The graph of a model file or of a zoo model."""
    from edgeternary import load, zoo

    if text.startswith(ZOO):
        return zoo.load(text.removeprefix(ZOO))
    try:
        return load(text)
    except EdgeTernaryError as error:
        if text in zoo.names():
            raise EdgeTernaryError(
                error.what, error.why, f"write {ZOO}{text} for the model that ships with the package"
            ) from error
        raise
