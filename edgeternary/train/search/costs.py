"""What each layer costs on a core: for each kind of weights and of activations, its plans worth having.

The graph of each mixture is lowered with the trained weights, so that kernels which skip zeros or count
digits have their real cost, and is cut into its layers. Estimates of a layer are kept on disk under a digest
of its graph, the core and the code generator.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from edgeternary import data as folders
from edgeternary.c import select
from edgeternary.ir import Graph
from edgeternary.ir.file import to_bytes
from edgeternary.toolchains import cache as disk
from edgeternary.train.kinds import Kind
from edgeternary.train.search.knapsack import front
from edgeternary.train.search.parts import parts
from edgeternary.train.search.space import Mixture, Space

Plans = list[tuple[float, int]]  # cycles and flash of each plan
Key = tuple[int, Kind, Kind | None, Kind | None]  # layer, weights, activation read, activation given
Table = dict[Key, Plans]
Progress = Callable[[int, int], None]
FOLDER, FILE = "search", "plans.json"
MOST = 6  # plans of a layer


def mixtures(space: Space) -> Iterator[Mixture]:
    """Mixtures in which each layer has each kind of weights between each pair of activations."""
    acts = list(dict.fromkeys(itertools.chain.from_iterable(space.activations)))
    count = max(map(len, space.weights))
    pairs = [(a, b) for a, b in itertools.product(acts, acts) if a == b or len(space.acts) > 1]
    for at in range(count):
        weights = tuple(kinds[min(at, len(kinds) - 1)] for kinds in space.weights)
        for pair in pairs:
            yield Mixture(weights, tuple(pair[i % 2] for i in range(len(space.acts))))
        if not pairs:
            yield Mixture(weights, ())


def table(
    space: Space, core: str, graph_of: Callable[[Mixture], Graph], progress: Progress | None = None
) -> Table:
    """The plans of each layer for every combination that `mixtures` has.

    graph_of  the lowered network of a mixture
    """
    found: Table = {}
    todo = list(mixtures(space))
    for done, mixture in enumerate(todo):
        if progress:
            progress(done, len(todo))
        keys = keys_of(mixture)
        if all(key in found for key in keys):
            continue
        for key, part in zip(keys, parts(graph_of(mixture)), strict=True):
            if key not in found:
                found[key] = plans(part, core)
    if progress:
        progress(len(todo), len(todo))
    return found


def keys_of(mixture: Mixture) -> list[Key]:
    """The keys of a mixture's layers in a table."""
    reads = (None, *mixture.activations)
    gives = (*mixture.activations, None)
    return [(i, w, reads[i], gives[i]) for i, w in enumerate(mixture.weights)]


def plans(part: Graph, core: str) -> Plans:
    """Cycles and flash of the plans of one layer, at most MOST, fastest first."""
    key = disk.digest(to_bytes(part), core, generator())

    def fill(folder: Path) -> None:
        figures = [(0.0, cycles, flash) for cycles, flash in select.Planner(part, core).figures()]
        kept = [(cycles, flash) for _, cycles, flash in front(figures)]
        (folder / FILE).write_text(json.dumps(spread(kept)))

    return [(c, f) for c, f in json.loads((disk.build(key, fill, FOLDER) / FILE).read_text())]


def spread(found: Plans) -> Plans:
    """At most MOST of the plans, the first and the last among them."""
    if len(found) <= MOST:
        return found
    return [found[round(i * (len(found) - 1) / (MOST - 1))] for i in range(MOST)]


@cache
def generator() -> str:
    """The digest of the code generator: another one may have other costs."""
    package = Path(select.__file__).parent
    files = sorted([*package.rglob("*.py"), *(folders.templates_dir() / "c").rglob("*.j2")])
    return disk.digest(*(path.read_bytes() for path in files))
