"""Options of the verbs that make hardware."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeternary.cli._sizes import Count

if TYPE_CHECKING:
    from edgeternary.ir import Graph

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--fps", type=click.FloatRange(0, min_open=True), help="FPGA: so many frames a second."),
    click.option("--maximize", type=click.Choice(["fps"]), help="FPGA: as many frames a second as fit."),
    click.option("--max-luts", type=Count(), help="FPGA: at most so many LUTs."),
    click.option("--clock", type=click.FloatRange(0, min_open=True), help="FPGA: MHz to reckon with."),
    click.option("--from", "from_layer", metavar="LAYER", help="Start behind LAYER: its codes come in."),
)


def hardware_options(function: F) -> F:
    """Adds --fps, --maximize, --max-luts, --clock and --from."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def starting_at(graph: Graph, layer: str | None) -> Graph:
    """The graph, or what of it comes behind `layer`."""
    if layer is None:
        return graph
    from edgeternary.passes.cut import behind

    return behind(graph, layer)
