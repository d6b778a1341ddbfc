"""edgeternary inspect: a model as text; of a torch model, what it would become."""

from typing import Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import json_option, print_json
from edgeternary.cli._sizes import Shape


@verb()
@model_argument
@click.option(
    "--shape",
    "shapes",
    type=Shape(),
    multiple=True,
    metavar="1x28x28",
    help="Of one sample of a torch model; once an input.",
)
@click.option("--weights", default="ternary", show_default=True, metavar="TYPE", help="Of a torch model.")
@click.option("--activations", default="2", show_default=True, metavar="TYPE", help="Of a torch model.")
@json_option
def command(
    model: str, shapes: tuple[tuple[int, ...], ...], weights: str, activations: str, as_json: bool
) -> None:
    """Print the integer graph of MODEL with exact types and intervals.

    For a torch model, model.py:Net, print what each of its layers becomes, and everything that has no
    integer form, with file and line. The file is Python code and is run.

    \b
    Example:
      edgeternary inspect zoo:fashion-cnn
      edgeternary inspect model.py:Net --shape 1x28x28
    """
    if ".py:" in model:
        _inspect_torch(model, shapes, (weights, activations), as_json)
        return
    from edgeternary.ir.text import dump
    from edgeternary.report.tables import wrapped

    graph = load_model(model)
    if as_json:
        print_json(_as_json(graph))
        return
    for line in dump(graph).splitlines():
        click.echo(wrapped(line, 6))
    for name in graph.outputs:
        if labels := graph.meta.of_output(name).labels:
            of = f" of {name}" if len(graph.outputs) > 1 else ""
            click.echo(f"  labels{of} {', '.join(labels)}")
    for key, text in sorted(graph.meta.info.items()):
        click.echo(wrapped(f"  {key}: {text}", 6))


def _inspect_torch(
    model: str, shapes: tuple[tuple[int, ...], ...], kinds: tuple[str, str], as_json: bool
) -> None:
    if not shapes:
        raise click.UsageError("a torch model needs --shape, such as --shape 1x28x28")
    from edgeternary import nn

    weights, activations = (int(kind) if kind.isdigit() else kind for kind in kinds)
    report = nn.inspected(model, list(shapes), weights, activations)
    if as_json:
        print_json(report.data())
    else:
        click.echo(report)
    if report.refusals:
        raise click.exceptions.Exit(1)


def _as_json(graph: Any) -> dict[str, Any]:
    from edgeternary.ir.text import rows, weight_bits

    return {
        "name": graph.name,
        **_ports(graph),
        "macs": graph.macs(),
        "weight_bytes": weight_bits(graph) / 8,
        "states": [state.value.name for state in graph.states],
        "info": dict(graph.meta.info),
        "layers": rows(graph),
    }


def _ports(graph: Any) -> dict[str, Any]:
    """Inputs and outputs with what they mean: lists where there are several."""
    inputs = [_input(graph, value) for value in graph.inputs]
    outputs = [_output(graph, name) for name in graph.outputs]
    found: dict[str, Any] = {}
    if len(inputs) == 1:
        (one,) = inputs
        found |= {"input_scale": one.pop("scale"), "input_zero": one.pop("zero"), "input": one}
    else:
        found["inputs"] = inputs
    if len(outputs) == 1:
        (name,) = graph.outputs
        found |= {"output": name, "logit_scale": outputs[0]["logit_scale"], "labels": outputs[0]["labels"]}
    else:
        found["outputs"] = outputs
    return found


def _input(graph: Any, value: Any) -> dict[str, Any]:
    meta = graph.meta.of_input(value.name)
    shape = {"name": value.name, "type": value.type.name, "shape": list(value.shape)}
    return {**shape, "lo": value.lo, "hi": value.hi, "scale": meta.scale, "zero": meta.zero}


def _output(graph: Any, name: str) -> dict[str, Any]:
    meta = graph.meta.of_output(name)
    return {"name": name, "logit_scale": meta.logit_scale, "labels": list(meta.labels)}
