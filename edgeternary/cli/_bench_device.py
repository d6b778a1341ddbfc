"""bench --port and --emulate: cycles that a board counts, beside the estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._output import note, print_json, progress_bars
from edgeternary.cli._target import Place, target
from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.link.build import Build
    from edgeternary.link.client import Client
    from edgeternary.link.frames import Hello

COLUMNS = ("step", "layer", "kernel", "cycles", "ms", "estimated_cycles", "estimate_error", "share")


def bench_device(build: Build | None, place: Place, samples: int, as_json: bool) -> None:
    """Print the cycles of each layer of whatever runs there, means of `samples` runs.

    With a build its layers have names, and estimates as the selection saw them.
    """
    from edgeternary.link.client import SECONDS, Client
    from edgeternary.link.ports import NO_TIME, keeps_time
    from edgeternary.report.tables import print_table
    from edgeternary.report.times import at_clock

    with target(build, place) as board, progress_bars() as progress:
        speed, patience = board.options.get("baud") or 115_200, board.options.get("patience") or 10.0
        assert isinstance(speed, int) and isinstance(patience, int | float)
        with Client.open(board.port, speed, max(patience, SECONDS)) as client:
            hello, whole, layers = _counted(client, build, samples, progress)
    if not keeps_time(board.port):
        whole, layers = None, [None for _ in layers]
    rows = [*_rows(build, layers, whole), _row({"layer": "total"}, whole, _estimate(build), whole)]
    clock = build.board.clock_hz if build else _clock(hello.target)
    rows = [{**row, **at_clock(row["cycles"], clock)} for row in rows]
    if as_json:
        print_json(
            {
                "board": hello.target,
                "model": hello.name,
                "digest": hello.digest,
                "samples": samples,
                "rows": rows,
            }
        )
        return
    print_table(rows, COLUMNS)
    rate = rows[-1].get("inferences_per_s")
    speed = f"; {rate:,.1f} inferences/s at {clock / 1e6:,.0f} MHz" if rate else ""
    click.echo(f"{hello.name} on {hello.target}, build {hello.digest}; means of {samples} runs{speed}")
    if whole is None:
        note(f"no cycles: {'the device counts none' if keeps_time(board.port) else NO_TIME}")


def _counted(
    client: Client, build: Build | None, samples: int, progress: Any
) -> tuple[Hello, float | None, list[float | None]]:
    """Mean cycles of the whole and of the layers; None where the device counts none."""
    import numpy as np

    from edgeternary.link.codec import check_hello, check_model, encode_input

    hello = client.hello()
    check_hello(hello, client.port.name)
    if build is not None:
        check_model(hello, build.graph, client.port.name, build.digest)
    found = []
    for number, x in enumerate(_inputs(hello, build, samples)):
        client.run(encode_input(hello, x))
        found.append(client.cycles())
        progress(hello.target, number + 1, samples)
    if len({len(row) for row in found}) != 1:
        raise EdgeTernaryError("the device counts another number of layers from one run to the next")
    whole, *layers = (float(x) or None for x in np.mean(found, axis=0))
    return hello, whole, list(layers)


def _inputs(hello: Hello, build: Build | None, samples: int) -> np.ndarray:
    """The model's own test samples, else random codes of the type that hello names."""
    import numpy as np

    from edgeternary.cli._samples import drawn
    from edgeternary.ir.types import parse

    if build is not None:
        found = drawn(build.graph, samples, 0, None)
        return found[:, 0] if build.graph.states else found
    kind = parse(hello.input_type)
    x = np.random.default_rng(0).integers(kind.lo, kind.hi + 1, (samples, *hello.input_shape))
    return np.where(x < 0, -1, 1) if kind.name == "bipolar" else x


def _rows(build: Build | None, layers: list[float | None], whole: float | None) -> list[dict[str, Any]]:
    known = _known(build) if build else []
    rows = []
    for step, cycles in enumerate(layers):
        about = known[step] if len(known) == len(layers) else {}
        row = {"step": step, "layer": about.get("name"), "kernel": about.get("kernel")}
        rows.append(_row(row, cycles, about.get("estimated_cycles"), whole))
    return rows


def _known(build: Build) -> list[dict[str, Any]]:
    """Name, kernel and estimate of each layer that the board counts: with the conversions before it."""
    steps = list(build.report.get("layers", []))
    found = []
    for name in build.report.get("cycle_layers", [step["name"] for step in steps]):
        estimate = 0.0
        while steps:
            step = steps.pop(0)
            estimate += step.get("estimated_cycles") or 0
            if step["name"] == name:
                found.append({**step, "estimated_cycles": estimate})
                break
    return found


def _row(
    row: dict[str, Any], cycles: float | None, estimate: float | None, whole: float | None
) -> dict[str, Any]:
    row |= {"cycles": cycles and round(cycles, 1), "estimated_cycles": estimate and round(estimate)}
    row["estimate_error"] = round(estimate / cycles - 1, 3) if estimate and cycles else None
    row["share"] = round(cycles / whole, 3) if cycles and whole else None
    return row


def _clock(target: str) -> int:
    """Hz of a board that says its name; 0 where the name is none of a board's."""
    from edgeternary.boards import load_all

    boards = load_all().values()
    return next((board.clock_hz for board in boards if target in (board.name, board.title)), 0)


def _estimate(build: Build | None) -> float | None:
    estimates = build.report.get("estimates", {}) if build else {}
    return estimates.get("cycles") or estimates.get("estimated_cycles")
