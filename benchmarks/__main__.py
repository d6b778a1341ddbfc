"""python -m benchmarks COMMAND, or `make bench-COMMAND`; README.md says what each prints."""

import sys

import click

from benchmarks.commands import (
    accuracy,
    boards,
    calibrate,
    choice,
    cycles,
    draw,
    fpga,
    growth,
    league,
    pairs,
    suite,
    tiny,
)
from edgeternary.cli import call
from edgeternary.cli._app import debug_option

app = click.Group(
    name="python -m benchmarks",
    params=[debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Figures that are published with edgeternary, and how they are made again.",
)
for part in (accuracy, boards, calibrate, choice, cycles, draw, fpga, growth, league, pairs, suite, tiny):
    app.add_command(part.command, part.__name__.rpartition(".")[2])

if __name__ == "__main__":
    sys.exit(call(sys.argv[1:], app))
