"""bench-calibrate: how far the kernels' estimates are from what is measured."""

import click

from benchmarks import calibrate, suite
from benchmarks.commands._options import only_option
from benchmarks.suite import CORES, FORM_B
from edgeternary.cli._counting import Counting, counting_options
from edgeternary.cli._output import json_option, print_rows, progress_bars

COLUMNS = (
    "core", "kernel", "points", "factor", "mean_error", "worst_ratio", "worst_layer", "code_bytes",
    "mean_flash_error",
)  # fmt: skip


@click.command()
@only_option
@counting_options
@json_option
def command(only: tuple[str, ...], counting: Counting, as_json: bool) -> None:
    """Every layer of the suite with every kernel that can run it: the errors of the estimates, by kernel."""
    cases = [case for case in suite.cases({}, only) if case.mode != FORM_B]
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "calibration")  # noqa: E731
        found = calibrate.measure(cases, counting.cores_or(",".join(CORES)), counting.options, moved)
    print_rows(calibrate.errors(found), COLUMNS, as_json)
