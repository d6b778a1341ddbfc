"""Options of commands that count instructions: cores, samples and compiler, and the types of a layer.

They reach a command as `counting` (Counting) and `kind` (Kind).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edgeternary.cli._record import defaulted, record
from edgeternary.cli._tools import compiler_option, flash_wait_option, level_option, optimize_option
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.bench.modes import Mode
    from edgeternary.ir import Graph

CORES = "cortex-m0plus,cortex-m4"


@dataclass(frozen=True)
class Counting:
    """What instructions are counted on.

    cores    full names; () where none was named
    options  of the executor: compiler, opt_level, optimize, count, flash_wait
    """

    cores: tuple[str, ...]
    options: dict[str, object]

    def cores_or(self, default: str) -> list[str]:
        return list(self.cores or default.split(","))

    @property
    def samples(self) -> int:
        return int(str(self.options["count"]))


@dataclass(frozen=True)
class Kind:
    """The types of a layer that has a shape and random weights."""

    weights: str
    activations: str
    form: str
    seed: int

    @property
    def mode(self) -> Mode:
        """EdgeTernaryError (code 2) for types that no layer has."""
        from edgeternary.bench import modes

        return modes.mode(self.weights, self.activations, self.form)


@dataclass(frozen=True)
class Shape(Kind):
    """A layer by its shape; in a model, by its name."""

    layer: str | None

    def graph(self) -> Graph:
        """The layer of this shape, and the activation after it."""
        from edgeternary.bench import layers

        return layers.graph(layers.parse(str(self.layer)), self.mode, self.seed)


def _counting(cores: str, samples: int, flash_wait: str | None, **tools: str) -> Counting:
    waits = {"flash_wait": flash_wait} if flash_wait else {}
    return Counting(tuple(cores_of(cores)), {"count": samples, **tools, **waits})


counting_options = record(
    "counting",
    _counting,
    click.option("--core", "cores", default="", help="Cores, with commas. Default: m0plus,m4."),
    defaulted("--samples", type=click.IntRange(1), default=1, help="Samples to count on."),
    optimize_option,
    compiler_option,
    level_option,
    flash_wait_option,
)
_KIND = (
    click.option("--weights", default="ternary", help="ternary (default), binary, int4, int8."),
    click.option("--activations", default="int8", help="int8 (default), ternary, 2-bit, binary."),
    click.option("--form", default="A", help="Requantize: A (shift, default), B (16 bits), C (32), T."),
    defaulted("--seed", default=0, help="Seed of the random weights."),
)
kind_options = record("kind", Kind, *_KIND)
shape_options = record(
    "shape", Shape, click.option("--layer", help="A layer of MODEL; else a shape, as above."), *_KIND
)


def cores_of(text: str) -> Iterator[str]:
    """Full names of cores; "m4" is cortex-m4. EdgeTernaryError (code 2) for one that is unknown."""
    from edgeternary.cores import CORTEX_M

    for name in filter(None, map(str.strip, text.split(","))):
        full = name if name.startswith("cortex-") else f"cortex-{name}"
        if full not in CORTEX_M:
            why = "only the instructions of Cortex-M cores are counted"
            remedy = f"use one of {', '.join(CORTEX_M)}"
            raise EdgeTernaryError(f"{name!r} is no known core", why, remedy, USAGE)
        yield full
