"""Pairs at equal accuracy: each int8 network of the zoo beside the smallest of fewer bits that does as well.

That is a ternary network, or one of mixed precision. A network of the same data counts as equal from WITHIN
below the int8 network's test accuracy on; the smallest is the one with the fewest packed bytes of weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import published
from edgeternary.bench import rows
from edgeternary.bench.rows import Row
from edgeternary.ir import Graph

WITHIN = 0.002  # test accuracy: 0.2 points
INT8_BITS, LEAST_BITS = 8, 1.5  # of a weight, on average; a binary network has 1
CMSIS = ("cmsis_instructions", "cmsis_cycles")
COMPARED = ("cycles", "instructions", "flash_bytes", "ram_bytes")


@dataclass(frozen=True)
class Model:
    """A trained network as `report.zoo` lists it.

    weights_bits  of a weight, the mean of all;  packed_bytes  of all weights
    """

    name: str
    data: str
    weights_bits: float
    packed_bytes: int
    accuracy: float


def find(models: Sequence[Model]) -> Iterator[tuple[Model, Model | None]]:
    """Each int8 model and its partner, None where no model of fewer bits of its data is as accurate."""
    for model in models:
        if model.weights_bits == INT8_BITS:
            equal = [
                other
                for other in models
                if LEAST_BITS < other.weights_bits < INT8_BITS
                and other.data == model.data
                and round(other.accuracy - model.accuracy + WITHIN, 6) >= 0
            ]
            yield model, min(equal, key=lambda other: (other.packed_bytes, other.name), default=None)


def measure(
    pairs: Sequence[tuple[Model, Model | None]],
    graphs: Mapping[str, Callable[[], Graph]],
    cores: Sequence[str],
    options: dict[str, object],
    progress: Callable[[str, int, int], None] = lambda text, done, total: None,
) -> Iterator[Row]:
    """A row for each pair and core: the figures of both, and int8 / fewer bits of each.

    cmsis_instructions, cmsis_cycles  of the int8 network's layers in CMSIS-NN int8, where they were counted;
    int8_of_cmsis_cycles and the like are these over ours
    """
    todo = [(pair, core) for pair in pairs for core in cores]
    for number, ((int8, fewer), core) in enumerate(todo):
        progress(f"{int8.name} {core}", number, len(todo))
        row: Row = {"core": core, "data": int8.data, "int8": int8.name, "int8_accuracy": int8.accuracy}
        row["fewer"] = fewer.name if fewer else None
        if fewer is not None:
            row["fewer_accuracy"] = fewer.accuracy
            ours, theirs = (rows.measure(graphs[m.name](), core, options) for m in (fewer, int8))
            row |= _beside(theirs, ours) | _cmsis(int8.name, core, theirs, ours)
            row |= {"timing": ours["timing"]} if "timing" in ours else {}
        yield row


def _cmsis(network: str, core: str, int8: Row, fewer: Row) -> dict[str, Any]:
    found = published.counted(network, core) or (None, None)
    row: dict[str, Any] = dict(zip(CMSIS, found, strict=True))
    for name, ours in (("int8", int8), ("fewer", fewer)):
        for what, count in zip(("instructions", "cycles"), found, strict=True):
            row[f"{name}_of_cmsis_{what}"] = round(count / ours[what], 3) if count and ours[what] else None
    return row


def _beside(int8: Row, fewer: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in COMPARED:
        a, b = int8[key], fewer[key]
        found |= {f"int8_{key}": a, f"fewer_{key}": b, f"{key}_ratio": round(a / b, 3) if a and b else None}
    return found | {"mismatches": int8["mismatches"] + fewer["mismatches"], "compiler": fewer["compiler"]}
