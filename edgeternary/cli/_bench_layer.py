"""bench --layer: a layer by its shape, beside the published int8 figures."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edgeternary.cli._counting import Counting, Shape
from edgeternary.cli._output import note, note_timing, print_rows, until_interrupted

COLUMNS = (
    "core", "layer", "mode", "macs", "kernels", "instructions_per_mac", "cycles_per_mac", "flash_bytes",
    "flash_per_weight", "ram_bytes", "baseline_instructions_per_mac", "ratio", "mismatches",
)  # fmt: skip


def bench_layer(shape: Shape, cores: Sequence[str], counting: Counting) -> Iterator[dict[str, Any]]:
    """Rows of one layer by its shape."""
    from edgeternary.bench import layers, rows

    layer, graph = layers.parse(str(shape.layer)), shape.graph()
    for core in cores:
        yield rows.layer_row(layer, graph, shape.mode, core, counting.options, counting.plan(graph, core))


def show(found: Iterable[dict[str, Any]], as_json: bool) -> None:
    """A table, or JSON."""
    rows, end = until_interrupted(found)
    print_rows(rows, COLUMNS, as_json)
    if not as_json:
        note("; ".join(sorted({f"{row['compiler']} -O{row['opt_level']}" for row in rows})))
        note_timing(rows, "core")
    end()
