"""The option --sound: a front end before the model, which then takes 16-bit samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edgeternary.ir import Graph

OWN, MLPERF = "own", "mlperf"
sound_option = click.option(
    "--sound",
    type=click.Choice([OWN, MLPERF]),
    help="Begin with the front end: 16-bit samples in.",
)


def sounding(graph: Graph, sound: str | None) -> Graph:
    """The graph, with the front end of that name before it."""
    if sound is None:
        return graph
    from edgeternary import features

    return features.with_samples(graph, features.mlperf(graph) if sound == MLPERF else None)
