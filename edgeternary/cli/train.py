"""edgeternary train: a recipe to a `.et` file and a card; sweeps of recipes."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._names import complete_model
from edgeternary.cli._output import Progress, json_option, note, print_json, progress_bars
from edgeternary.cli._search import Searching, run_search, search_options
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.train import Recipe


@verb()
@click.argument("recipe", shell_complete=complete_model)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder for the files.")
@click.option("--epochs", type=click.IntRange(1), help="In place of the recipe's.")
@click.option("--seed", type=click.IntRange(0), help="In place of the recipe's.")
@click.option("--seeds", metavar="LIST", help="0,1,2: one run for each; mean and spread.")
@click.option("--sweep", is_flag=True, help="One run for each entry of the file's [sweep].")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Runs at a time; default 1; with --search all cores.",
)
@click.option("--float", "float_reference", is_flag=True, help="Train the float version as well.")
@click.option(
    "--time",
    "timed",
    is_flag=True,
    help="Only measure the time of a training step.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads of torch; default: all cores.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Checkpoint; default: NAME.ckpt in the folder.",
)
@click.option("--tensorboard", is_flag=True, help="Write event files for TensorBoard too.")
@search_options
@json_option
def command(
    recipe: str,
    output: Path,
    epochs: int | None,
    seed: int | None,
    seeds: str | None,
    sweep: bool,
    jobs: int | None,
    float_reference: bool,
    timed: bool,
    threads: int | None,
    checkpoint: Path | None,
    tensorboard: bool,
    searching: Searching,
    as_json: bool,
) -> None:
    """Train RECIPE; write the model, its card, a log and plots.

    RECIPE is a TOML file, zoo:NAME, the card of an earlier run, or module:function of a function that
    returns a train.Recipe. Training that was interrupted goes on when the same command is given again.

    \b
    Example:
      edgeternary train zoo:mnist-mlp-100 -o out
    """
    from edgeternary.train import find

    sys.path.insert(0, str(Path.cwd()))
    chosen, table = find.find(recipe)
    chosen = chosen if epochs is None else chosen.with_epochs(epochs)
    chosen = chosen if seed is None else dataclasses.replace(chosen, seed=seed)
    searching.check()
    if searching.search:
        run_search(chosen, output, searching, jobs or 0, as_json)
    elif timed:
        _time(chosen, threads, as_json)
    elif sweep or seeds:
        if sweep and not table:
            raise EdgeTernaryError(
                f"{recipe} has no [sweep] table", "--sweep reads it", "add one; see docs/training.md", USAGE
            )
        axes = _axes(table if sweep else {}, seeds)
        _sweep(chosen, axes, output, jobs or 1, threads, float_reference, as_json)
    else:
        _train(chosen, output, threads, float_reference, checkpoint, tensorboard, as_json)


def _train(
    recipe: Recipe,
    output: Path,
    threads: int | None,
    float_reference: bool,
    checkpoint: Path | None,
    tensorboard: bool,
    as_json: bool,
) -> None:
    from edgeternary import train
    from edgeternary.train.interval import told

    path = checkpoint or output / f"{recipe.name}.ckpt"
    if path.exists():
        note(f"going on from {path}")
    options = train.Options(
        checkpoint=path, float_reference=float_reference, tensorboard=tensorboard, threads=threads or 0
    )
    with progress_bars() as progress, _read(progress):
        outcome = train.run(recipe, output, options=options, progress=_Report(progress))
    card = outcome.card
    if as_json:
        print_json({**card, "files": [str(path) for path in outcome.files]})
        return
    compared = f" (float reference {card['float_accuracy']:.2%})" if float_reference else ""
    accuracy, samples = card["test_accuracy"], card["test_samples"]
    click.echo(
        f"{card['name']}: {accuracy:.2%}{compared} of {samples:,} test samples; {told(accuracy, samples)}"
    )
    note(f"wrote {', '.join(str(path) for path in outcome.files)}")


def _axes(table: dict[str, Any], seeds: str | None) -> dict[str, Any]:
    """What the runs of a sweep differ in: the file's table, and the seeds in place of its own."""
    from edgeternary.train.sweep import SEED, axes_of

    axes = axes_of(table)
    return {**axes, SEED: _numbers(seeds)} if seeds else axes


def _sweep(
    recipe: Recipe,
    axes: dict[str, Any],
    output: Path,
    jobs: int,
    threads: int | None,
    float_reference: bool,
    as_json: bool,
) -> None:
    from edgeternary.report.tables import print_table
    from edgeternary.train import processes, sweep_table
    from edgeternary.train.files import write_whole
    from edgeternary.train.sweep import SEED, plan

    folder = output / f"{recipe.name}.sweep"
    runs = plan(recipe, axes, folder)
    try:
        with progress_bars() as progress:
            processes.train_all(
                runs,
                jobs,
                threads=threads or 0,
                float_reference=float_reference,
                progress=lambda done, total: progress("runs", done, total),
            )
    finally:
        rows = sweep_table.rows_of(runs)
        folds = sweep_table.cross_validated(runs)
        content = {"name": recipe.name, "axes": axes, "rows": rows, **({"folds": folds} if folds else {})}
        if rows:
            write_whole(folder.with_suffix(".sweep.json"), json.dumps(content, indent=2) + "\n")
            write_whole(folder.with_suffix(".sweep.md"), sweep_table.markdown(recipe.name, runs))
    if as_json:
        print_json(content)
        return
    shown = [{**row, "test %": sweep_table.cell(row)} for row in rows]
    print_table(shown, [*(key for key in axes if key != SEED), "runs", "test %", "validation", "seconds"])
    if folds:
        click.echo(sweep_table.of_folds(folds))
    note(f"wrote {folder}.md, {folder}.json and one folder a run in {folder}")


def _time(recipe: Recipe, threads: int | None, as_json: bool) -> None:
    import torch

    from edgeternary.train.timing import step_times

    if threads:
        torch.set_num_threads(threads)
    found = step_times(recipe)
    figures = {**dataclasses.asdict(found), "ratio": found.ratio, "threads": torch.get_num_threads()}
    if as_json:
        print_json({"name": recipe.name, "batch": recipe.batch, **figures})
        return
    click.echo(
        f"{recipe.name}: {found.quantised_ms:.1f} ms a step, its float reference {found.float_ms:.1f} ms: "
        f"{found.ratio:.2f} times (median of {found.steps} steps of {recipe.batch} samples)"
    )


def _numbers(text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError as error:
        raise EdgeTernaryError(
            f"--seeds {text!r}", "it is no list of numbers", "as in 0,1,2", USAGE
        ) from error


def _read(progress: Progress) -> AbstractContextManager[None]:
    """On a terminal a bar for the reading of the data set, else lines."""
    from edgeternary.train.data.watch import told

    return told(progress) if sys.stderr.isatty() else nullcontext()


class _Report:
    """Moves the bar of the task under way; without a terminal says one line an epoch."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.terminal, self.said = progress, sys.stderr.isatty(), -1.0

    def __call__(self, step: int, steps: int, figures: dict[str, Any]) -> None:
        self.progress(_caption(figures), step, steps, figures["task"])
        if not self.terminal and figures["epoch"] != self.said:
            self.said = figures["epoch"]
            note(f"{_caption(figures)} (step {step:,} of {steps:,})")


def _caption(figures: dict[str, Any]) -> str:
    words = [figures["task"], f"epoch {figures['epoch'] + 1:.0f}", f"loss {figures['loss']:.3f}"]
    if figures.get("validation"):
        words.append(f"validation {figures['validation']:.2%}")
    return ", ".join(words)
