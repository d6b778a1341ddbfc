"""bench-pairs: the zoo's int8 networks beside ternary ones of equal accuracy."""

from functools import partial
from typing import Any

import click

from benchmarks import pairs
from edgeternary import zoo
from edgeternary.cli._counting import CORES, Counting, counting_options
from edgeternary.cli._output import json_option, note, note_timing, print_rows, progress_bars
from edgeternary.report.zoo import zoo_rows

COLUMNS = (
    "core", "int8", "int8_accuracy", "fewer", "fewer_accuracy", "int8_cycles", "fewer_cycles",
    "cycles_ratio", "cmsis_cycles", "int8_of_cmsis_cycles", "fewer_of_cmsis_cycles", "int8_flash_bytes",
    "fewer_flash_bytes", "flash_bytes_ratio", "int8_ram_bytes", "fewer_ram_bytes", "ram_bytes_ratio",
    "mismatches",
)  # fmt: skip


def _bits(row: dict[str, Any]) -> float:
    """Bits of a weight, the mean over the network; layers whose bits are no whole bytes round up."""
    return round(8 * row["packed_bytes"] / row["weights"], 2)


@click.command()
@counting_options
@json_option
def command(counting: Counting, as_json: bool) -> None:
    """Each int8 network of the zoo beside the smallest of fewer bits that is as accurate."""
    models = [
        pairs.Model(row["name"], row["data"], _bits(row), row["packed_bytes"], row["accuracy"])
        for row in zoo_rows()
        if row["accuracy"] is not None
    ]
    graphs = {model.name: partial(zoo.load, model.name) for model in models}
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "pairs")  # noqa: E731
        matched, cores = list(pairs.find(models)), counting.cores_or(CORES)
        found = list(pairs.measure(matched, graphs, cores, counting.options, moved))
    print_rows(found, COLUMNS, as_json)
    if as_json:
        return
    if not found:
        note("the zoo has no network with weights of 8 bits")
    note_timing(found, "core")
    for row in found:
        if row["fewer"] is None:
            note(f"no network of fewer bits for {row['data']} comes within 0.2 points of {row['int8']}")
