"""edgeternary inspect: a model as text."""

from typing import Any

import click

from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import json_option, print_json


@click.command()
@model_argument
@json_option
def command(model: str, as_json: bool) -> None:
    """Print the integer graph of MODEL: every value with its exact type and interval."""
    from edgeternary.ir.text import dump

    graph = load_model(model)
    if as_json:
        print_json(_as_json(graph))
        return
    click.echo(dump(graph))
    if graph.meta.labels:
        click.echo(f"  labels {', '.join(graph.meta.labels)}")
    for key, text in sorted(graph.meta.info.items()):
        click.echo(f"  {key}: {text}")


def _as_json(graph: Any) -> dict[str, Any]:
    from edgeternary.ir.text import rows, weight_bits

    value = graph.input
    return {
        "name": graph.name,
        "input": {
            "name": value.name,
            "type": value.type.name,
            "shape": list(value.shape),
            "lo": value.lo,
            "hi": value.hi,
        },
        "output": graph.output,
        "macs": graph.macs(),
        "weight_bytes": weight_bits(graph) / 8,
        "states": [state.value.name for state in graph.states],
        "labels": list(graph.meta.labels),
        "info": dict(graph.meta.info),
        "input_scale": graph.meta.input_scale,
        "input_zero": graph.meta.input_zero,
        "logit_scale": graph.meta.logit_scale,
        "layers": rows(graph),
    }
