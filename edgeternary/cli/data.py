"""edgeternary data: data sets that are here, the synthetic one made, a recipe's samples written."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json, progress_bars
from edgeternary.errors import USAGE, EdgeTernaryError

KEYWORDS = "keywords"
PARTS = ("train", "validation", "test")


@verb()
@click.argument("source", required=False, metavar="[keywords|RECIPE]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write RECIPE's samples as codes, .npz."
)
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True, help="Which of them.")
@json_option
def command(source: str | None, output: Path | None, part: str, as_json: bool) -> None:
    """List the data sets for recipes, and where they lie here.

    With "keywords", make the synthetic keywords, once, in the user's cache.
    With a recipe, write its samples for --inputs.

    \b
    Example:
      edgeternary data keywords
      edgeternary data recipe.toml -o test.npz
    """
    if source not in (None, KEYWORDS):
        row = _write(str(source), output, part)
        print_json(row) if as_json else click.echo(f"wrote {row['samples']:,} samples to {row['path']}")
        return
    if output:
        raise EdgeTernaryError(f"--output {output}", "it takes the samples of a recipe", "name one", USAGE)
    from edgeternary.report.tables import wrapped
    from edgeternary.train import data

    if source:
        with progress_bars() as progress:
            made = data.synthetic_keywords(progress=progress)
        counts = [f"{len(labels):,}" for _, labels in (made.train, made.validation, made.test)]
        note(f"{made.name}: {' + '.join(counts)} samples")
    rows = [dataclasses.asdict(row) | {"path": row.path and str(row.path)} for row in data.found()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(wrapped(f"{row['name']:22}{row['path'] or 'missing; ' + row['remedy']}", 22))


def _write(source: str, output: Path | None, part: str) -> dict[str, Any]:
    """The codes of a part of a recipe's samples, in the shape that its network reads, and their labels."""
    import io

    import numpy as np

    from edgeternary.train import find_recipe
    from edgeternary.train.files import write_whole

    recipe = find_recipe(source)
    if output is None:
        raise EdgeTernaryError(f"data {source}", "there is no --output", "add -o test.npz", USAGE)
    made = recipe.data()
    x, y = getattr(made, part)
    if len(recipe.shape) == 1:  # a dense network reads a list of numbers
        x = x.reshape(len(x), -1)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, inputs=x, labels=y)
    write_whole(output, buffer.getvalue())
    return {"data": made.name, "part": part, "samples": len(x), "path": str(output)}
