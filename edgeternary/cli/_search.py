"""train --search: its options, its table, its files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._names import CoreName, listed
from edgeternary.cli._output import note, print_json, progress_bars
from edgeternary.cli._record import record, titled
from edgeternary.cli._sizes import Count, Size
from edgeternary.cli._tools import COMPILERS
from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.train import Recipe
    from edgeternary.train.search.goals import Goals
    from edgeternary.train.search.run import Found, Settings

COLUMNS = (
    "network", "weights", "activations", "validation", "accuracy", "cycles", "flash_bytes", "ram_bytes",
    "mismatches", "faster", "smaller", "reached",
)  # fmt: skip


@dataclass(frozen=True)
class Searching:
    """The options of a search, None where one was not given."""

    search: bool
    core: str | None
    max_cycles: int | None
    max_flash: int | None
    min_accuracy: float | None
    points: int | None
    minutes: float | None
    weight_kinds: str | None
    activation_kinds: str | None
    compiler: str | None

    def check(self) -> None:
        """EdgeTernaryError (code 2) for an option without --search."""
        given = [key for key, value in vars(self).items() if value is not None and key != "search"]
        if given and not self.search:
            names = ", ".join(f"--{key.replace('_', '-')}" for key in given)
            raise EdgeTernaryError(f"{names} has no effect", "it belongs to --search", "add --search", USAGE)

    def goals(self) -> Goals:
        from edgeternary.train.search.goals import Goals

        least = self.min_accuracy
        return Goals(self.max_cycles, self.max_flash, least / 100 if least is not None else None)

    def settings(self, jobs: int) -> Settings:
        from edgeternary.train.search.run import Settings

        default = Settings()
        return Settings(
            core=self.core or "cortex-m4",
            goals=self.goals(),
            weights=listed(self.weight_kinds) or default.weights,
            activations=listed(self.activation_kinds) or default.activations,
            points=self.points or default.points,
            minutes=self.minutes or default.minutes,
            jobs=jobs,
            options={"compiler": self.compiler or "auto"},
        )


search_options = record(
    "searching",
    Searching,
    *titled(
        "Search for the bits of each layer",
        click.option("--search", is_flag=True, help="Search; RECIPE is where it starts."),
        click.option("--core", type=CoreName(native=False), help="The core that counts; default m4."),
        click.option("--max-cycles", type=Count(), help="At most this many cycles an inference, as 2M."),
        click.option("--max-flash", type=Size(), help="At most this many bytes of flash, as 64k."),
        click.option("--min-accuracy", type=click.FloatRange(0, 100), help="In percent."),
        click.option("--points", type=click.IntRange(1, 50), help="Networks that are trained; default 5."),
        click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Time; default 40."),
        click.option("--weight-kinds", metavar="LIST", help="Default ternary,pow2_3,3,4,8."),
        click.option("--activation-kinds", metavar="LIST", help="Default 2,4,8."),
        click.option("--compiler", type=click.Choice(COMPILERS), metavar="NAME", help="C compiler."),
    ),
)


def run_search(recipe: Recipe, output: Path, searching: Searching, jobs: int, as_json: bool) -> None:
    """Search, write front.json and front.svg, and print the front; exit code 5 for goals out of reach."""
    from edgeternary.train.files import write_whole
    from edgeternary.train.search.plot import front_plot
    from edgeternary.train.search.run import search

    settings = searching.settings(jobs)
    folder = output / f"{recipe.name}.search"
    with progress_bars() as progress:
        found = search(recipe, folder, settings, _Told(progress))
    goals = settings.goals
    content = {
        "name": recipe.name,
        "core": settings.core,
        "goals": {key: value for key, value in vars(goals).items() if value is not None},
        "reached": found.reached,
        "best": found.best,
        "rows": found.rows,
    }
    write_whole(folder / "front.json", json.dumps(content, indent=2) + "\n")
    write_whole(folder / "front.svg", front_plot(f"{recipe.name} on {settings.core}", found.rows, goals))
    if as_json:
        print_json(content)
    else:
        _print(found, goals)
    note(f"wrote front.json, front.svg and one folder a network in {folder}")
    if not found.reached:
        raise EdgeTernaryError(
            "no network reaches the goals",
            f"the nearest, {found.best['network']}, has {'; '.join(goals.misses(found.best))}",
            "relax a goal, give more --minutes or --points, or start from another recipe",
            DOES_NOT_FIT,
        )


def _print(found: Found, goals: Goals) -> None:
    from edgeternary.report.tables import print_table

    first = found.rows[0]
    shown: list[dict[str, Any]] = []
    for row in found.rows:
        if row["front"] or row is first or row is found.best:
            kinds = {key: _words(row[key]) for key in ("weights", "activations")}
            ratios = {
                "faster": first["cycles"] / row["cycles"],
                "smaller": first["flash_bytes"] / row["flash_bytes"],
            }
            shown.append({**row, **kinds, **ratios})
    shown.sort(key=lambda row: (-row["validation"], row["cycles"]))
    has_goals = any(value is not None for value in vars(goals).values())
    columns = [key for key in COLUMNS if key != "reached" or has_goals]
    print_table(shown, columns)
    word = "best" if found.reached else "nearest"
    click.echo(
        f"{word}: {found.best['network']}, {found.best['accuracy']:.2%} of the test samples, "
        f"{found.best['cycles']:,.0f} cycles, {found.best['flash_bytes']:,} bytes of flash: "
        f"{found.best['file']}"
    )


def _words(kinds: Any) -> str:
    return " ".join(map(str, kinds)) if isinstance(kinds, list) else str(kinds)


class _Told:
    """Moves the bar of each part of the search; without a terminal says one line a part."""

    def __init__(self, progress: Any) -> None:
        self.progress, self.said, self.terminal = progress, "", sys.stderr.isatty()

    def __call__(self, task: str, done: int, total: int) -> None:
        self.progress(task, done, total)
        if not self.terminal and task != self.said:
            self.said = task
            note(f"{task}: {total} to do")
