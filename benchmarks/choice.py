"""Choosing kernels: of drawn layers, the chosen plan beside the plan with each offer for the layer.

The weights take turns through WEIGHTS; shapes are those of `draw`. Offers differ by kernel, variant and
layouts. Those whose plan is estimated to take more than FAR times the cycles of the chosen one are left out.
`loss` is chosen / best - 1 in measured cycles.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from edgeternary.bench import layers, rows
from edgeternary.bench.modes import mode
from edgeternary.bench.rows import Row
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph

WEIGHTS = ("int2", "int3", "int4", "int5", "int6", "int7", "int8", "ternary")
WITHIN = 0.05
FAR = 4.0

Progress = Callable[[str, int, int], None]


def measure(
    drawn: Sequence[str],
    activations: str,
    form: str,
    seed: int,
    cores: Sequence[str],
    options: dict[str, object],
    progress: Progress = lambda text, done, total: None,
) -> list[Row]:
    """A row for each drawn layer and core: the row of `bench --layer`, the best kernel and the loss."""
    found: list[Row] = []
    todo = [(core, number, text) for core in cores for number, text in enumerate(drawn)]
    for done, (core, number, text) in enumerate(todo):
        progress(f"{text} {core}", done, len(todo))
        layer, kind = layers.parse(text), mode(WEIGHTS[number % len(WEIGHTS)], activations, form)
        graph = layers.graph(layer, kind, seed)
        chosen = rows.layer_row(layer, graph, kind, core, options)
        others = {name: rows.measure_plan(plan, options, 1) for name, plan in plans(graph, core)}
        seen = {name: _cycles(row) for name, row in others.items()}
        best = min(seen, key=lambda name: seen[name])
        loss = round(_cycles(chosen) / seen[best] - 1, 4)
        chosen |= {"best": best, "loss": loss, "candidates": seen}
        chosen["mismatches"] += sum(row["mismatches"] for row in others.values())
        found.append(chosen)
    return found


def plans(graph: Graph, core: str) -> Iterator[tuple[str, Plan]]:
    """(kernel, variant and layouts; plan) of each offer for the first op, the chosen one first."""
    seen: dict[str, None] = {}

    def note(match: Match, kernel: Kernel, offer: Offer) -> bool:
        if match.ops[0] is graph.ops[0]:
            seen[_name(kernel, offer)] = None
        return True

    chosen = select(graph, core, allow=note)
    (first,) = (_name(step.kernel, step.offer) for step in chosen.calls if graph.ops[0] in step.ops)
    yield first, chosen
    for name in seen:

        def only(match: Match, kernel: Kernel, offer: Offer, name: str = name) -> bool:
            return match.ops[0] is not graph.ops[0] or _name(kernel, offer) == name

        try:
            plan = select(graph, core, allow=only)
        except EdgeTernaryError:  # it can run the op, but nothing can read what it makes
            continue
        if name != first and plan.cycles <= FAR * chosen.cycles:
            yield name, plan


def _name(kernel: Kernel, offer: Offer) -> str:
    return " ".join([kernel.name, offer.variant, *(x.name for x in offer.ins), "->", offer.out.name])


def summary(found: Sequence[Row]) -> list[Row]:
    """One row a core: layers, those within WITHIN of the best, mean and worst loss, least ratio to int8."""
    result: list[Row] = []
    for core in dict.fromkeys(row["core"] for row in found):
        here = [row for row in found if row["core"] == core]
        losses = [row["loss"] for row in here]
        ratios = [row["ratio"] for row in here if row["ratio"] is not None]
        result.append({
            "core": core, "layers": len(here), "within": sum(loss <= WITHIN for loss in losses),
            "mean_loss": round(mean(losses), 4), "worst_loss": max(losses),
            "slower": sum(ratio < 1 for ratio in ratios), "least_ratio": min(ratios, default=None),
            "mismatches": sum(row["mismatches"] for row in here),
        })  # fmt: skip
    return result


def _cycles(row: Row) -> float:
    return float(row["cycles"] or row["instructions"])  # of the host there are none
