"""edgeternary data: which data sets are here, and making the one that is synthetic."""

import dataclasses

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json, progress_bars


@verb()
@click.argument("make", required=False, type=click.Choice(["keywords"]))
@json_option
def command(make: str | None, as_json: bool) -> None:
    """List the data sets for recipes, and where they lie here.

    With "keywords", make the synthetic keywords, once, in the user's cache.

    \b
    Example:
      edgeternary data keywords
    """
    from edgeternary.report.tables import wrapped
    from edgeternary.train import data

    if make:
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
