"""edgeternary summary: a network layer by layer, with estimates for each target, before training too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model
from edgeternary.cli._names import ZOO, CoreNames, complete_model, short
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._record import defaulted
from edgeternary.cli._sizes import Shape
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.ir import Graph

COLUMNS = (
    "name", "kind", "shape", "weights_bits", "activations_bits", "weights", "zeros", "macs", "packed_bytes",
    "table_bytes", "code_bytes", "flash_bytes", "ram_bytes",
)  # fmt: skip


@verb()
@click.argument("model", metavar="MODEL|RECIPE.toml|MODULE:FUNCTION", shell_complete=complete_model)
@defaulted(
    "--core",
    "cores",
    type=CoreNames(),
    default="m4,m0plus",
    metavar="LIST",
    help="Cores; memory is that of the first.",
)
@click.option(
    "--shape",
    type=Shape(),
    metavar="1x28x28",
    help="Of one sample, for a function: channels first.",
)
@defaulted("--input-type", default="uint8", metavar="TYPE", help="Of the input codes.")
@json_option
def command(
    model: str, cores: tuple[str, ...], shape: tuple[int, ...] | None, input_type: str, as_json: bool
) -> None:
    """Print bits, weights and the estimated cost of each layer.

    MODEL is taken as it is. A recipe, or a function that returns a train.Recipe or (with --shape) an
    nn.Module, is lowered with random weights, so this works before training; it needs torch.

    \b
    Example:
      edgeternary summary zoo:fashion-cnn --core m4
      edgeternary summary recipe.toml
    """
    from edgeternary.report.summary import summary

    if not cores:
        raise EdgeTernaryError("no core was named", "--core is empty", "for example --core cortex-m4", USAGE)
    found = summary(_graph(model, shape, input_type), cores)
    if as_json:
        print_json(found)
        return
    _show(found, cores)


def _graph(text: str, shape: tuple[int, ...] | None, input_type: str) -> Graph:
    if text.startswith(ZOO) or not (text.endswith(".toml") or _is_function(text)):
        return load_model(text)
    from edgeternary.train.find import find_recipe
    from edgeternary.train.lookup import function
    from edgeternary.train.untrained import lower_shape, untrained

    sys.path.insert(0, str(Path.cwd()))
    note("weights are random: the network as it is before training")
    if shape is None:
        return untrained(find_recipe(text))
    return lower_shape(function(text, "network")(), shape, input_type)


def _is_function(text: str) -> bool:
    """Whether this is module:function, a plain path is not."""
    return ":" in text and not Path(text).exists()


def _show(found: dict[str, Any], cores: tuple[str, ...]) -> None:
    from edgeternary.report.tables import print_table

    rows = []
    for row in [*found["layers"], found["total"]]:
        shape = "x".join(map(str, row.get("shape", ())))
        rows.append(
            {**row, "shape": shape, **{f"{short([core])} cycles": row["cycles"].get(core) for core in cores}}
        )
    footer = [
        "",
        f"table, code, flash, RAM: of the kernels chosen for {cores[0]}; RAM is output with scratch memory.",
        "Cycles, RAM and LUTs are estimates: bench counts cycles, compile --build measures memory and LUTs.",
    ]
    columns = (*COLUMNS, *(f"{short([core])} cycles" for core in cores), "luts", "fpga_cycles")
    print_table(rows, columns, title=found["name"], footer="\n".join([*footer, *found["notes"]]))
