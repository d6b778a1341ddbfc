"""edgeternary simulate: run a model on executors and compare them bit for bit."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._hardware import Hardware, cut, hardware_options
from edgeternary.cli._help import verb
from edgeternary.cli._inputs import choose_inputs
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._names import ExecutorNames
from edgeternary.cli._output import (
    json_option,
    note,
    note_timing,
    print_rows,
    progress_bars,
    until_interrupted,
)
from edgeternary.cli._record import defaulted, record
from edgeternary.cli._tools import (
    compiler_option,
    flash_wait_option,
    level_option,
    optimize_option,
    yosys_option,
)
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.run.compare import Comparison

COLUMNS = (
    "executor", "samples", "mismatches", "accuracy", "instructions", "cycles", "cycles_most", "flash_bytes",
    "ram_bytes", "luts", "ffs", "ram_blocks", "multipliers", "fmax_mhz", "frames_per_s", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """Inputs: codes of a file, or the model's own; the first `samples` of them."""

    path: Path | None
    samples: int | None


@dataclass(frozen=True)
class Wanted:
    """Beside the table: a comparison with numpy, and files."""

    compared: bool
    junit: Path | None
    outputs: Path | None
    waves: Path | None


_FILE = click.Path(path_type=Path)
sample_options = record(
    "chosen",
    Samples,
    click.option("--inputs", "path", type=_FILE, help="Codes (.npy, .csv), or .npz with labels."),
    click.option("--samples", type=click.IntRange(1), help="The first N samples; with --waves 2."),
)
wanted_options = record(
    "wanted",
    Wanted,
    click.option(
        "--compare", "compared", is_flag=True, help="Compare with numpy; exit 4 where a bit differs."
    ),
    click.option("--junit", type=_FILE, help="Write the comparison as JUnit XML."),
    click.option("-o", "--output", "outputs", type=_FILE, help="Write the outputs of each executor as .npz."),
    click.option(
        "--waves",
        type=_FILE,
        help="Write the signals of hdl, cxxrtl or verilator.",
    ),
)
setting_options = record(
    "settings",
    dict,
    click.option("--jobs", type=click.IntRange(1, 256), help="Processes of numpy, host and cortex-m."),
    click.option("--stalls", type=click.IntRange(0), help="Seed of random pauses on the streams of hdl."),
    optimize_option,
    compiler_option,
    level_option,
    flash_wait_option,
    yosys_option,
    click.option(
        "--compile-limit",
        type=click.FloatRange(0, min_open=True),
        help="Seconds that C++ of cxxrtl may take.",
    ),
    click.option("--torch-checkpoint", type=_FILE, help="Checkpoint for --on torch."),
)


@verb()
@model_argument
@defaulted("--on", type=ExecutorNames(), default="numpy", metavar="LIST", help="Executors: host,m4,hdl:up5k.")
@sample_options
@wanted_options
@hardware_options
@setting_options
@json_option
def command(
    model: str,
    on: tuple[str, ...],
    chosen: Samples,
    wanted: Wanted,
    hardware: Hardware,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Run MODEL on executors and compare them bit for bit.

    Without --inputs a zoo model gets its samples, another one random codes.

    \b
    Example:
      edgeternary simulate zoo:fashion-cnn --on numpy,host,m4 --compare
    """
    from edgeternary.build.files import check_writable
    from edgeternary.cli._waves import FEW, wave_files
    from edgeternary.frontends.files import is_foreign
    from edgeternary.report.junit import write_junit
    from edgeternary.run.compare import compares_something, not_bit_exact

    executors = _executors(on)
    compared, outputs = wanted.compared or bool(wanted.junit), wanted.outputs
    if compared:
        compares_something(executors)
    if outputs and outputs.suffix != ".npz":
        outputs = Path(f"{outputs}.npz")
    traces = wave_files(wanted.waves, executors) if wanted.waves else {}
    for path_out in filter(None, (wanted.junit, outputs, *traces.values())):
        check_writable(path_out)
    graph = load_model(model)
    samples = chosen.samples or (FEW if wanted.waves else None)
    inputs, labels = choose_inputs(graph, model, chosen.path, samples)
    graph, inputs = cut(graph, inputs, hardware)
    torch_checkpoint = settings.pop("torch_checkpoint")
    common = {**settings, **hardware.options(executors)}
    options: dict[str, dict[str, object]] = {executor: dict(common) for executor in executors}
    for executor, file in traces.items():
        options[executor]["waves"] = str(file)
    if is_foreign(model):
        for executor in {"original", "tflite", "qonnx"} & set(executors):
            options[executor]["original"] = model
    if torch_checkpoint:
        options["torch"] = {"torch_model": _torch_model(graph.name, torch_checkpoint)}
    with progress_bars() as progress:
        for executor, own in options.items():
            own["stage"] = _stage(progress, executor)
        answers = _run(graph, inputs, executors, compared, options, progress)
        found, end = until_interrupted(answers)
    for comparison in found:
        if comparison.executor in traces:
            note(f"waves written to {traces[comparison.executor]}")
    if outputs:
        _write_outputs(outputs, found)
    rows = [_row(comparison, labels) for comparison in found]
    print_rows(rows, COLUMNS, as_json, footer=_verdict(found) if found else "")
    note_timing(() if as_json else rows, "executor")
    if wanted.junit:
        write_junit(wanted.junit, graph.name, found)
    wrong = [comparison for comparison in found if comparison.mismatches]
    for comparison in wrong[:-1]:
        note(str(not_bit_exact(graph, comparison)))
    if wrong:
        raise not_bit_exact(graph, wrong[-1])
    end()


def _executors(on: tuple[str, ...]) -> list[str]:
    if not on:
        raise EdgeTernaryError("no executor was named", "--on is empty", "for example --on numpy,host", USAGE)
    return list(on)


def _stage(progress: Any, executor: str) -> Callable[[str], None]:
    """Shows what the executor builds before its first sample: on its bar, or in a line without a terminal."""
    if not sys.stderr.isatty():
        return lambda text: note(f"{executor}: {text} ...")
    return lambda text: progress(f"{executor}: {text}", 0, 1, executor)


def _verdict(found: list[Comparison]) -> str:
    """The last line when everything that was compared is equal."""
    if any(comparison.mismatches is None or comparison.mismatches for comparison in found):
        return ""
    from edgeternary.run.compare import REFERENCE

    names = ", ".join(comparison.executor for comparison in found if comparison.executor != REFERENCE)
    return names and f"Every bit is equal: {names} ({found[0].samples:,} samples, compared with {REFERENCE})."


def _torch_model(name: str, checkpoint: Path) -> Any:
    """The PyTorch model of the zoo's recipe `name` with the weights of `checkpoint`. Needs torch."""
    from edgeternary import zoo

    model = zoo.torch_model(name)
    from edgeternary.nn.checkpoint import load_codes

    return load_codes(model, checkpoint)


def _run(
    graph: Any, inputs: np.ndarray, executors: list[str], compared: bool, options: Any, progress: Any
) -> Iterator[Comparison]:
    """A comparison for each executor; not compared, they have no mismatches."""
    from edgeternary.run import run
    from edgeternary.run.compare import Comparison, comparisons

    if compared:
        yield from comparisons(graph, inputs, executors, options=options, progress=progress)
        return
    for executor in executors:
        own = {
            **options.get(executor, {}),
            "progress": lambda done, total, name=executor: progress(name, done, total),
        }
        result = run(graph, inputs, on=executor, options=own)
        yield Comparison(executor, len(inputs), result)


def _row(comparison: Comparison, labels: np.ndarray | None) -> dict[str, Any]:
    from dataclasses import asdict

    from edgeternary.report.rows import row

    content = row(comparison, labels)
    if comparison.mismatches is None:
        del content["mismatches"]
    if comparison.difference:
        content["difference"] = asdict(comparison.difference)
    return content


def _write_outputs(path: Path, found: list[Comparison]) -> None:
    import numpy as np

    from edgeternary.build.files import write_file

    arrays: dict[str, Any] = {}
    for comparison in found:
        outputs = comparison.result.outputs
        named = outputs if isinstance(outputs, dict) else {"": outputs}
        arrays |= {f"{comparison.executor}.{n}".rstrip("."): array for n, array in named.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_file(path, buffer.getvalue())
    note(f"outputs written to {path}")
