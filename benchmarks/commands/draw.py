"""bench-draw: layers drawn by a seed, beside CMSIS-NN int8 and the suite's median."""

import click

from benchmarks import draw
from edgeternary.cli._counting import CORES, Counting, Kind, counting_options, kind_options
from edgeternary.cli._output import json_option, print_json, progress_bars
from edgeternary.cli._record import defaulted
from edgeternary.report.tables import print_table

COLUMNS = (
    "core", "layer", "mode", "macs", "kernels", "instructions_per_mac", "baseline_layer",
    "baseline_instructions_per_mac", "ratio", "flash_per_weight", "suite_median", "share", "mismatches",
)  # fmt: skip


@click.command()
@defaulted("--count", type=click.IntRange(1), default=40, help="Number of layers to draw.")
@kind_options
@counting_options
@json_option
def command(count: int, kind: Kind, counting: Counting, as_json: bool) -> None:
    """Layers of random shapes, and the share that reaches 80 % of the suite's median gain over int8.

    --seed draws the shapes as well.
    """
    drawn, mode = list(draw.shapes(count, kind.seed)), kind.mode
    rows = []
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "draw")  # noqa: E731
        for core in counting.cores_or(CORES):
            rows += draw.measure(drawn, mode, kind.seed, core, counting.options, moved)
    totals = draw.summary(rows)
    if as_json:
        print_json({"seed": kind.seed, "layers": rows, "totals": totals})
        return
    print_table(rows, COLUMNS)
    for total in totals:
        if total["layers"]:
            click.echo(
                f"{total['core']}: {total['enough']} of {total['layers']} reach {draw.WANTED:.0%} of the "
                f"suite's median ratio; median {total['median_share']:.0%}, least {total['least']:.0%}"
            )
        if total["median_ratio"]:
            click.echo(
                f"{total['core']}: {total['slower']} take more instructions than CMSIS-NN int8; median ratio "
                f"{total['median_ratio']:.2f}, least {total['least_ratio']:.2f}"
            )
