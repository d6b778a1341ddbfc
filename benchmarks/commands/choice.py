"""bench-choice: whether the kernel that the estimates choose is the one that is measured best."""

import click

from benchmarks import choice, draw
from edgeternary.cli._counting import CORES, Counting, counting_options
from edgeternary.cli._output import json_option, print_json, progress_bars
from edgeternary.cli._record import defaulted
from edgeternary.report.tables import print_table

COLUMNS = (
    "core", "layer", "mode", "macs", "kernels", "instructions_per_mac", "cycles", "ratio",
    "flash_per_weight", "best", "loss", "mismatches",
)  # fmt: skip


@click.command()
@defaulted("--count", type=click.IntRange(1), default=40, help="Number of layers to draw.")
@defaulted("--seed", type=int, default=7, help="Seed of the shapes and of the weights.")
@defaulted("--activations", default="int8", help="Type of the activations.")
@defaulted("--form", default="A", help="Requantize: A (shift), B (16 bits) or C (32 bits).")
@counting_options
@json_option
def command(count: int, seed: int, activations: str, form: str, counting: Counting, as_json: bool) -> None:
    """Drawn layers with weights of 2 to 8 bits and ternary: the chosen kernel beside every candidate."""
    drawn = list(draw.shapes(count, seed))
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "choice")  # noqa: E731
        cores = counting.cores_or(CORES)
        rows = choice.measure(drawn, activations, form, seed, cores, counting.options, moved)
    totals = choice.summary(rows)
    if as_json:
        print_json({"seed": seed, "layers": rows, "totals": totals})
        return
    print_table(rows, COLUMNS)
    for total in totals:
        click.echo(
            f"{total['core']}: {total['within']} of {total['layers']} within {choice.WITHIN:.0%} of the best "
            f"candidate, mean loss {total['mean_loss']:.1%}, worst {total['worst_loss']:.1%}; "
            f"{total['slower']} take more instructions than CMSIS-NN int8, least ratio "
            f"{total['least_ratio']}; {total['mismatches']} mismatches"
        )
