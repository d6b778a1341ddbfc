"""bench-suite: layers and networks beside the published int8 figures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import speedup, suite
from benchmarks.commands._options import document_option, only_option, read_rows, rows_option, write_page
from benchmarks.document import document as page
from benchmarks.plot import svg
from edgeternary import zoo
from edgeternary.build.files import write_file
from edgeternary.cli._bench_layer import show
from edgeternary.cli._counting import Counting, counting_options
from edgeternary.cli._output import json_option, note, progress_bars

Rows = list[dict[str, Any]]


@click.command()
@only_option
@document_option
@rows_option
@counting_options
@json_option
def command(
    only: tuple[str, ...], document: Path | None, rows: Path | None, counting: Counting, as_json: bool
) -> None:
    """Ten layers and three networks in several modes, and the zoo's networks, beside int8; with two plots.

    Default: all cores.
    """
    found = read_rows(rows) if rows is not None else _measured(only, counting, document)
    if document is None:
        show(found, as_json)
        return
    plot, data = document.with_suffix(".svg"), document.with_suffix(".json")
    write_page(document, page(found, plot.name, data.name), found, svg=svg(found))
    write_file(document.with_name("speedup.svg"), speedup.svg(found))


def _measured(only: Sequence[str], counting: Counting, document: Path | None) -> Rows:
    """Rows of the suite, or of its parts whose names contain one of `only`.

    For a document, rows are kept beside it as they come, so that a run that was broken off can go on.
    """
    models = {f"zoo:{name}": zoo.load(name) for name in zoo.names()}
    kept = document.with_suffix(".partial") if document else None
    known, found = _kept(kept, counting.options), []
    cores = counting.cores_or(",".join(suite.CORES))
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "suite")  # noqa: E731
        for row in suite.measure(suite.cases(models, only), cores, counting.options, moved, known):
            found.append(row)
            if kept and row not in known:
                with kept.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(row) + "\n")
    if kept:
        kept.unlink(missing_ok=True)
    return found


def _kept(path: Path | None, options: dict[str, object]) -> Rows:
    """The rows of a run with the same options that was broken off."""
    if path is None or not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    same = [row for row in rows if all(row[key] == options[key] for key in ("optimize", "opt_level"))]
    note(f"{len(same)} rows of {path} are taken over; delete it to measure them again")
    return same
