"""edgeternary run: what a model answers to an input, on a board, in an emulator or on an executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._inputs import load_inputs
from edgeternary.cli._names import ExecutorName, complete_model
from edgeternary.cli._output import json_option, note, print_json, progress_bars
from edgeternary.cli._target import Place, build_of, target, target_options
from edgeternary.cli._tools import flash_wait_option
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.ir import Graph
    from edgeternary.link.build import Build

COLUMNS = ("sample", "output", "class", "label", "outputs")
SHOWN = 16  # numbers of an output in the table


@verb()
@click.argument("model", metavar="MODEL|FOLDER", shell_complete=complete_model)
@click.option(
    "--inputs",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="Codes: one sample or many (.npy, .npz, .csv).",
)
@target_options
@click.option("--on", type=ExecutorName(), help="Executor: numpy (default), host, m4, hdl.")
@flash_wait_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the outputs: .npy, several as .npz."
)
@json_option
def command(
    model: str,
    path: Path,
    place: Place,
    on: str | None,
    flash_wait: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Print what MODEL answers to the samples of a file.

    With --port a board answers, with --emulate the image of the build in FOLDER in an emulator, else an
    executor.

    \b
    Example:
      edgeternary run zoo:mnist-mlp-100 --inputs x.npy --on m4
      edgeternary run build --inputs x.npy --port /dev/ttyACM0
    """
    from edgeternary.build.files import check_writable
    from edgeternary.cli._model import load_model
    from edgeternary.report.tables import print_table
    from edgeternary.report.times import at_clock
    from edgeternary.run import run

    if output:
        check_writable(output)
    build = build_of(model, place.emulate)
    graph = build.graph if build else load_model(model)
    x = _samples(graph, load_inputs(path, graph)[0])
    waits = {"flash_wait": flash_wait} if flash_wait else {}
    with _executor(build, place, on) as (name, options), progress_bars() as progress:
        moved = {**options, **waits, "progress": lambda done, total: progress(name, done, total)}
        result = run(graph, x, on=name, options=moved)
    if output:
        _write(output, result.outputs)
    rows = _rows(graph, result.outputs)
    if as_json:
        why = {
            key: result.stats[key] for key in ("cycles_most", "timing", "cycles_why") if key in result.stats
        }
        clock = build.board.clock_hz if build and not on else 0
        counted = result.stats.get("cycles")
        cycles = {"cycles": counted, **at_clock(counted, clock), **why}
        print_json({"model": graph.name, "by": name, **cycles, "samples": rows})
    else:
        print_table([{**row, "outputs": _short(row["outputs"])} for row in rows], COLUMNS)


@contextmanager
def _executor(build: Build | None, place: Place, on: str | None) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and options of the executor that the options mean."""
    if on is not None and (place.port or place.emulate):
        raise EdgeTernaryError("name one place", "--on, --port and --emulate exclude each other", code=USAGE)
    if not place.port and not place.emulate and not place.bitstream:
        yield on or "numpy", {}
        return
    with target(build, place) as board:
        yield board.executor, board.options


def _samples(graph: Graph, x: Any) -> np.ndarray:
    """Samples of arrays that may hold a single one."""
    from edgeternary.run.inputs import by_name, check_inputs

    given = by_name(graph, x)
    return check_inputs(graph, {v.name: _several(graph, v.shape, given[v.name]) for v in graph.inputs})


def _several(graph: Graph, shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    one = x.shape in (shape, shape[:-1]) and not graph.states
    return x[None] if one and (x.shape == shape or shape[-1] == 1) else x


def _rows(graph: Graph, outputs: Any) -> list[dict[str, Any]]:
    """One row a sample; of several outputs one for each of them."""
    if not isinstance(outputs, dict):
        return [_row(graph, graph.output, number, found) for number, found in enumerate(outputs)]
    return [
        {"sample": number, "output": name, **_row(graph, name, number, found)}
        for number in range(len(next(iter(outputs.values()))))
        for name, found in ((name, outputs[name][number]) for name in graph.outputs)
    ]


def _row(graph: Graph, name: str, number: int, found: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"sample": number, "outputs": found.tolist()}
    if found.ndim == 1 and len(found) > 1:
        row["class"] = int(found.argmax())
        labels = graph.meta.of_output(name).labels
        row["label"] = labels[row["class"]] if row["class"] < len(labels) else None
    return row


def _short(numbers: list[Any]) -> str:
    text = " ".join(map(str, numbers[:SHOWN]))
    return text + (" ..." if len(numbers) > SHOWN else "")


def _write(path: Path, outputs: Any) -> None:
    import io

    import numpy as np

    from edgeternary.build.files import write_file

    buffer = io.BytesIO()
    if isinstance(outputs, dict):
        np.savez(buffer, **outputs)
    else:
        np.save(buffer, outputs)
    write_file(path, buffer.getvalue())
    note(f"outputs written to {path}")
