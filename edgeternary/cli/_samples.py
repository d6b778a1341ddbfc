"""Test samples for a model: drawn from its own data set, or from a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from edgeternary.cli._inputs import load_inputs
from edgeternary.cli._output import note
from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.ir import Graph

RANDOM_STEPS = 4


def drawn(graph: Graph, count: int, seed: int, path: Path | None) -> np.ndarray:
    """`count` inputs, drawn without replacement where there are enough.

    path  codes as .npy or .npz; without, the shipped test samples of the zoo's model of this name, and for a
          model that the zoo does not have random codes, with a note
    """
    import numpy as np

    from edgeternary.run.inputs import check_inputs

    rng = np.random.default_rng(seed)
    pool = _pool(graph, path)
    if pool is None:
        note(f"the zoo has no test samples for {graph.name!r}: random codes; --inputs takes real ones")
        return _random(graph, count, rng)
    if len(pool) == 0:
        raise EdgeTernaryError("there are no samples", "the inputs are empty", "give at least one sample")
    found = pool[rng.choice(len(pool), count, replace=count > len(pool))]
    return check_inputs(graph, _as_input(graph, found) if path is None else found)


def _pool(graph: Graph, path: Path | None) -> np.ndarray | None:
    from edgeternary import zoo

    if path is not None:
        from edgeternary.run.inputs import check_inputs

        return check_inputs(graph, load_inputs(path, graph)[0])
    known = graph.name in zoo.names() and graph.input.name in zoo.load(graph.name).values
    return zoo.images(graph.name)[0] if known else None


def _as_input(graph: Graph, images: np.ndarray) -> np.ndarray:
    """Images of the zoo's model as the graph takes them: one that starts after a layer takes its codes."""
    from edgeternary import zoo
    from edgeternary.run import run

    whole = zoo.load(graph.name)
    if graph.input.name == whole.input.name:
        return images
    return run(whole, images, taps=True).taps[graph.input.name]


def _random(graph: Graph, count: int, rng: np.random.Generator) -> np.ndarray:
    from edgeternary.ir.ports import join
    from edgeternary.ops.build import samples

    lead = (count, RANDOM_STEPS) if graph.states else (count,)
    codes = {x.name: samples(rng, x, math.prod(lead)).reshape(*lead, *x.shape) for x in graph.inputs}
    return join(graph.inputs, codes)
