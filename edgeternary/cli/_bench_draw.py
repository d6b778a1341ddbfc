"""bench --draw: layers drawn by a seed, beside the nearest published layer and the suite's median."""

from __future__ import annotations

from collections.abc import Sequence

import click

from edgeternary.cli._output import print_json, progress_bars

COLUMNS = (
    "core", "layer", "mode", "macs", "kernels", "instructions_per_mac", "baseline_layer",
    "baseline_instructions_per_mac", "ratio", "nearest_ratio", "suite_median", "share", "mismatches",
)  # fmt: skip


def bench_drawn(
    count: int, seed: int, weights: str, activations: str, form: str, cores: Sequence[str],
    options: dict[str, object], as_json: bool,
) -> None:  # fmt: skip
    """Print `count` drawn layers on each core, and how many reach the share of the median that is wanted."""
    from edgeternary.bench import draw, modes
    from edgeternary.report.tables import print_table

    mode, drawn = modes.mode(weights, activations, form), list(draw.shapes(count, seed))
    rows = []
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "draw")  # noqa: E731
        for core in cores:
            rows += draw.measure(drawn, mode, seed, core, options, moved)
    totals = draw.summary(rows)
    if as_json:
        print_json({"seed": seed, "layers": rows, "totals": totals})
        return
    print_table(rows, COLUMNS)
    for total in totals:
        if total["layers"]:
            click.echo(
                f"{total['core']}: {total['enough']} of {total['layers']} reach {draw.WANTED:.0%} of the "
                f"suite's median ratio; median {total['median_share']:.0%}, least {total['least']:.0%}"
            )
