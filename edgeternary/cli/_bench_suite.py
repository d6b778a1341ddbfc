"""bench --suite and bench --layer: rows beside the published int8 figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeternary.cli._output import note, print_json, progress_bars

COLUMNS = (
    "core", "layer", "mode", "macs", "kernels", "instructions_per_mac", "cycles_per_mac", "flash_bytes",
    "ram_bytes", "baseline_instructions_per_mac", "ratio", "mismatches",
)  # fmt: skip

ERROR_COLUMNS = (
    "core", "kernel", "points", "factor", "mean_error", "worst_ratio", "worst_layer", "code_bytes",
    "mean_flash_error",
)  # fmt: skip

Options = dict[str, object]


def bench_layer(
    text: str, weights: str, activations: str, form: str, seed: int, cores: Sequence[str], options: Options
) -> list[dict[str, Any]]:
    """Rows of one layer by its shape."""
    from edgeternary.bench import layers, modes, rows

    layer, mode = layers.parse(text), modes.mode(weights, activations, form)
    graph = layers.graph(layer, mode, seed)
    return [rows.layer_row(layer, graph, mode, core, options) for core in cores]


def bench_suite(
    only: Sequence[str], cores: Sequence[str], options: Options, document: Path | None = None
) -> list[dict[str, Any]]:
    """Rows of the suite, or of its parts whose names contain one of `only`.

    For a document, rows are kept beside it as they come, so that a run that was broken off can go on.
    """
    from edgeternary import zoo
    from edgeternary.bench import suite

    models = {f"zoo:{name}": zoo.load(name) for name in zoo.names()}
    kept = document.with_suffix(".partial") if document else None
    known, found = _kept(kept, options), []
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "suite")  # noqa: E731
        for row in suite.measure(suite.cases(models, only), cores, options, moved, known):
            found.append(row)
            if kept and row not in known:
                with kept.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(row) + "\n")
    if kept:
        kept.unlink(missing_ok=True)
    return found


def _kept(path: Path | None, options: Options) -> list[dict[str, Any]]:
    """The rows of a run with the same options that was broken off."""
    if path is None or not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    same = [row for row in rows if all(row[key] == options[key] for key in ("optimize", "opt_level"))]
    note(f"{len(same)} rows of {path} are taken over; delete it to measure them again")
    return same


def calibrate(
    only: Sequence[str], cores: Sequence[str], options: Options, save: bool
) -> list[dict[str, Any]]:
    """Errors of the kernels' estimates; with `save` the factors that correct them are kept."""
    from edgeternary.bench import calibrate, suite
    from edgeternary.bench.suite import FORM_B
    from edgeternary.c import calibration

    cases = [case for case in suite.cases({}, only) if case.mode != FORM_B]
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "calibration")  # noqa: E731
        found = calibrate.measure(cases, cores, options, moved)
    if save:
        kept = {**calibration.factors()} if only else {}
        calibration.save({**kept, **calibrate.factors(found)})
        note(f"wrote {calibration.FILE}")
    return calibrate.errors(found)


def show(rows: list[dict[str, Any]], as_json: bool, columns: Sequence[str] = COLUMNS) -> None:
    """A table, or JSON."""
    from edgeternary.report.tables import print_table

    if as_json:
        print_json(rows)
        return
    print_table(rows, columns)
    if columns is COLUMNS:
        note("; ".join(sorted({f"{row['compiler']} -O{row['opt_level']}" for row in rows})))


def write_document(rows: list[dict[str, Any]], path: Path) -> None:
    """PATH.md, with PATH.svg and PATH.json beside it."""
    from edgeternary.bench.document import document
    from edgeternary.bench.plot import svg
    from edgeternary.build.files import write_file

    plot, data = path.with_suffix(".svg"), path.with_suffix(".json")
    write_file(data, json.dumps(rows, indent=1) + "\n")
    write_file(plot, svg(rows))
    write_file(path, document(rows, plot.name, data.name))
    note(f"wrote {path}, {plot} and {data}")
