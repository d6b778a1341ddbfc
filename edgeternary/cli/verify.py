"""edgeternary verify: is what a board answers bit for bit what the model means?"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_rows, progress_bars, stopwatch
from edgeternary.cli._record import defaulted
from edgeternary.cli._self_test import only_speaks, verify_self_test
from edgeternary.cli._target import Place, Target, target, target_options

if TYPE_CHECKING:
    from edgeternary.link.build import Build
    from edgeternary.run.compare import Comparison

COLUMNS = (
    "board",
    "model",
    "by",
    "samples",
    "mismatches",
    "cycles",
    "ms",
    "inferences_per_s",
    "flash_bytes",
    "ram_bytes",
    "stack_bytes",
)


@verb()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@target_options
@defaulted("--samples", type=click.IntRange(1), default=200, help="Samples that are drawn.")
@click.option("--seed", type=click.IntRange(0), help="Of the draw; default: a new one, which is printed.")
@click.option(
    "--inputs",
    "data",
    type=click.Path(path_type=Path),
    help="Draw from these codes (.npy, .npz, .csv).",
)
@json_option
def command(
    folder: Path, place: Place, samples: int, seed: int | None, data: Path | None, as_json: bool
) -> None:
    """Compare a board with the model of its build, bit for bit.

    FOLDER is what compile --board wrote. All outputs of drawn samples are compared: of the test samples that
    ship for the model's data set, or of --inputs. Exit code 4: one differs; the first difference is shown.

    \b
    Example:
      edgeternary verify build --port /dev/ttyACM0
    """
    from edgeternary.link.build import read_build
    from edgeternary.run.compare import not_bit_exact

    build = read_build(folder)
    if only_speaks(build, place.emulate):
        note(f"{build.board.title} receives nothing in QEMU: its self test at power-up is heard")
        row = verify_self_test(build)
        print_rows(row, COLUMNS, as_json, footer="The self test is right.")
        return
    seed = secrets.randbelow(2**31) if seed is None else seed
    note(f"{build.model} on {build.board.title}: {samples:,} samples drawn with --seed {seed}")
    with target(build, place) as board, stopwatch() as seconds:
        found = verify(build, board, samples, seed, data)
        row = report(build, board, found, seed, seconds())
    equal = f"Every bit is equal: {found.samples:,} samples, build {build.digest[:16]}."
    print_rows(row, COLUMNS, as_json, footer="" if found.mismatches else equal)
    if found.mismatches:
        raise not_bit_exact(build.graph, found)


def verify(build: Build, board: Target, samples: int, seed: int, data: Path | None) -> Comparison:
    """The comparison of a board's outputs with numpy's, on `samples` drawn inputs."""
    from edgeternary.cli._samples import drawn
    from edgeternary.run.compare import compare

    inputs = drawn(build.graph, samples, seed, data)
    with progress_bars() as progress:
        (found,) = compare(
            build.graph,
            inputs,
            [board.executor],
            options={board.executor: board.options},
            progress=lambda executor, done, total: progress(
                build.board.name if executor == board.executor else executor, done, total
            ),
        )
    return found


def report(build: Build, board: Target, found: Comparison, seed: int, seconds: float) -> dict[str, Any]:
    """The figures of a verified board, in the words for quantities."""
    from dataclasses import asdict

    from edgeternary.report.times import at_clock

    words = ("flash_bytes", "ram_bytes", "stack_bytes", "stack_bound", "image_bytes")
    stats = found.result.stats
    row: dict[str, Any] = {
        "board": build.board.name,
        "model": build.model,
        "by": board.by,
        "samples": found.samples,
        "mismatches": found.mismatches,
        "cycles": stats["cycles"],
        **at_clock(stats["cycles"], build.board.clock_hz),
        **{word: build.figure(word) for word in words},
        "digest": build.digest,
        "seed": seed,
        "repeats": stats["repeats"],
        "seconds": round(seconds, 1),
    }
    if row["cycles"] is None:
        row["cycles_why"] = stats["cycles_why"]
    if found.difference:
        row["difference"] = asdict(found.difference)
    return row
