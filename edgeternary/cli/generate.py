"""edgeternary generate: a language model continues a text, character by character."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._names import ExecutorName
from edgeternary.cli._output import json_option, note, print_json, stopwatch
from edgeternary.cli._record import defaulted, record
from edgeternary.cli._tools import c_options

if TYPE_CHECKING:
    from edgeternary.run.result import Stat

CLOCK_MHZ = 120  # of a Cortex-M, for tokens a second


@dataclass(frozen=True)
class Drawn:
    """How many characters are added, and how they are drawn."""

    length: int
    temperature: float
    seed: int


text_options = record(
    "drawn",
    Drawn,
    defaulted("--length", type=click.IntRange(1), default=200, help="Characters to add."),
    defaulted(
        "--temperature",
        type=float,
        default=0.0,
        help="0 takes the likeliest character.",
    ),
    defaulted("--seed", type=click.IntRange(0), default=0, help="Seed of the draws."),
)


@verb()
@model_argument
@click.option("--prompt", required=True, help="The text to continue, in the model's characters.")
@defaulted(
    "--on",
    type=ExecutorName(),
    default="numpy",
    help="Executor: host, m4, hdl, cxxrtl, serial:PORT.",
)
@text_options
@c_options
@json_option
def command(model: str, prompt: str, on: str, drawn: Drawn, tools: dict[str, object], as_json: bool) -> None:
    """Continue a text with the language model MODEL.

    Every executor writes the same text: logits are the same integers, and characters are drawn by integers.
    The speed goes to stderr.

    \b
    Example:
      edgeternary generate kjv.et --prompt "In the beginning" --on host
    """
    from edgeternary.run import open_session
    from edgeternary.run._sampling import chooser
    from edgeternary.run._text import Vocabulary, continued

    graph = load_model(model)
    vocabulary = Vocabulary(graph)
    vocabulary.encode(prompt)
    scale = graph.meta.of_output(graph.output).one_scale("generate")
    choose = chooser(scale, drawn.temperature, drawn.seed)
    text = []
    with open_session(graph, on, tools) as session, stopwatch() as seconds:
        if not as_json:
            click.echo(prompt, nl=False)
        for symbol in continued(session, vocabulary, prompt, drawn.length, choose):
            text.append(symbol)
            if not as_json:
                click.echo(symbol, nl=False)
        taken, stats = seconds(), dict(session.stats)
    tokens = len(prompt) - 1 + drawn.length
    if as_json:
        print_json(
            {"on": on, "text": "".join(text), "tokens": tokens, "tokens_per_s": tokens / taken, **stats}
        )
        return
    click.echo()
    note(f"{on}: {tokens} tokens, {tokens / taken:,.1f} tokens/s here{_cycles(stats)}")


def _cycles(stats: dict[str, Stat]) -> str:
    """What a Cortex-M takes, as modelled; what hardware took, as counted, without a clock to go with it."""
    cycles = stats.get("cycles")
    if not isinstance(cycles, int | float):
        return f"; no cycles: {stats['timing']}" if "timing" in stats else ""
    if "timing" not in stats:
        return f"; {cycles:,.0f} cycles/token"
    speed = CLOCK_MHZ * 1e6 / cycles
    return f"; {cycles:,.0f} cycles/token ({stats['timing']}), {speed:,.0f} tokens/s at {CLOCK_MHZ} MHz"
