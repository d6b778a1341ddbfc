"""bench --pairs: the zoo's int8 networks beside ternary ones of equal accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from edgeternary.cli._output import note, print_json, progress_bars

COLUMNS = (
    "core", "int8", "int8_accuracy", "ternary", "ternary_accuracy", "int8_cycles", "ternary_cycles",
    "cycles_ratio", "int8_flash_bytes", "ternary_flash_bytes", "flash_bytes_ratio", "int8_ram_bytes",
    "ternary_ram_bytes", "ram_bytes_ratio", "mismatches",
)  # fmt: skip


def bench_pairs(cores: Sequence[str], options: dict[str, object], as_json: bool) -> None:
    """Print cycles, flash and RAM of both networks of each pair."""
    from edgeternary import zoo
    from edgeternary.bench import pairs
    from edgeternary.report.tables import print_table
    from edgeternary.report.zoo import zoo_rows

    models = [
        pairs.Model(row["name"], row["data"], row["weights_bits"], row["packed_bytes"], row["accuracy"])
        for row in zoo_rows()
        if row["accuracy"] is not None
    ]
    graphs = {model.name: partial(zoo.load, model.name) for model in models}
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "pairs")  # noqa: E731
        found = list(pairs.measure(list(pairs.find(models)), graphs, cores, options, moved))
    if as_json:
        print_json(found)
        return
    print_table(found, COLUMNS)
    if not found:
        note("the zoo has no network with weights of 8 bits")
    for row in found:
        if row["ternary"] is None:
            note(f"no ternary network of {row['data']} comes within 0.2 points of {row['int8']}")
