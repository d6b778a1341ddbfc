"""Choosing kernels: of drawn layers, the chosen plan beside the plan with each kernel that can run the layer.

The weights take turns through WEIGHTS; shapes are those of `draw`. A plan is measured, as everything here,
in the emulator; `loss` is chosen / best - 1 in cycles, where the core has them, else in instructions.
"""

from collections.abc import Callable, Sequence
from statistics import mean

from benchmarks import calibrate
from edgeternary.bench import layers, rows
from edgeternary.bench.modes import mode
from edgeternary.bench.rows import Row

WEIGHTS = ("int2", "int3", "int4", "int5", "int6", "int7", "int8", "ternary")
WITHIN = 0.05

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
        others = [rows.measure_plan(plan, options, 1) for plan in calibrate.plans(graph, core)]
        seen = {row["kernels"]: _effort(row) for row in others} | {chosen["kernels"]: _effort(chosen)}
        best = min(seen, key=lambda name: seen[name])
        chosen |= {"best": best, "loss": round(_effort(chosen) / seen[best] - 1, 4), "candidates": seen}
        chosen["mismatches"] += sum(row["mismatches"] for row in others)
        found.append(chosen)
    return found


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


def _effort(row: Row) -> float:
    return float(row["cycles"] or row["instructions"])
