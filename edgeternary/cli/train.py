"""edgeternary train: a recipe to a `.et` file and a card."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._output import json_option, note, print_json, progress_bars
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError


@click.command()
@click.argument("recipe")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder for the files.")
@click.option("--epochs", type=click.IntRange(1), help="In place of the recipe's.")
@click.option("--seed", type=int, help="In place of the recipe's.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="File to stop and go on with.")
@json_option
def command(
    recipe: str, output: Path, epochs: int | None, seed: int | None, checkpoint: Path | None, as_json: bool
) -> None:
    """Train RECIPE and write NAME.et, NAME.safetensors and a card NAME.json.

    RECIPE is zoo:fashion-mlp, zoo:fashion-cnn, or module:function of a function that returns a
    train.Recipe; modules are looked for in this folder too.
    """
    try:
        from edgeternary import train
    except ImportError as error:
        raise EdgeTernaryError(
            "torch is missing", str(error), "install it with: pip install 'edgeternary[train]'", TOOL_MISSING
        ) from error
    sys.path.insert(0, str(Path.cwd()))
    with progress_bars() as progress:
        outcome = train.run(
            recipe,
            output,
            epochs=epochs,
            seed=seed,
            checkpoint=checkpoint,
            progress=lambda step, steps, figures: progress(_caption(figures), step, steps, "training"),
        )
    if as_json:
        print_json({**outcome.card, "files": [str(path) for path in outcome.files]})
        return
    card = outcome.card
    click.echo(f"{card['name']}: {card['test_accuracy']:.2%} of {card['test_samples']:,} test samples")
    note(f"wrote {', '.join(str(path) for path in outcome.files)}")


def _caption(figures: dict[str, Any]) -> str:
    words = [f"epoch {figures['epoch'] + 1:.0f}", f"loss {figures['loss']:.3f}"]
    if figures.get("validation"):
        words.append(f"validation {figures['validation']:.2%}")
    return ", ".join(words)
