"""Options of commands that count instructions: cores, samples and compiler, and the types of a layer.

They reach a command as `counting` (Counting) and `kind` (Kind).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._names import CoreNames, short
from edgeternary.cli._output import note
from edgeternary.cli._record import defaulted, record, titled
from edgeternary.cli._tools import (
    compiler_option,
    flash_wait_option,
    level_option,
    limit_options,
    optimize_option,
)
from edgeternary.cores import CORTEX_M
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.bench.modes import Mode
    from edgeternary.boards import Board
    from edgeternary.c.choices import Allow
    from edgeternary.c.plan import Plan
    from edgeternary.ir import Graph

CORES = "cortex-m0plus,cortex-m4"
LIMITS = ("max_flash", "max_ram", "max_cycles")


@dataclass(frozen=True)
class Counting:
    """What instructions are counted on.

    cores    full names; () where none was named
    options  of the executor: compiler, opt_level, optimize, count, flash_wait
    limits   of the plan, as those of compile: max_flash, max_ram, max_cycles
    """

    cores: tuple[str, ...]
    options: dict[str, object]
    limits: dict[str, int] = field(default_factory=dict)

    def cores_or(self, default: str) -> list[str]:
        return list(self.cores or default.split(","))

    @property
    def samples(self) -> int:
        return int(str(self.options["count"]))

    def plan(self, graph: Graph, core: str, board: Board | None = None, allow: Allow | None = None) -> Plan:
        """The best plan for --optimize that keeps the limits.

        board  whose flash is fetched from;  allow  which offers may be taken, see c.select
        """
        from edgeternary.build import c_project
        from edgeternary.c.choices import anything
        from edgeternary.c.select import LIMITED_LABELS, Planner, select

        allow, fetch, tools = allow or anything, c_project.fetch_of(board), self.options
        if not self.limits:
            return select(graph, core, str(tools["optimize"]), allow=allow, fetch=fetch)
        settings = c_project.Settings(
            str(tools["compiler"]), str(tools["opt_level"]), str(tools["optimize"]), **self.limits
        )
        planner = Planner(graph, core, allow, fetch, LIMITED_LABELS)
        return c_project.judged(planner, core, board, False, lambda text: note(f"{text} ..."), settings).plan

    def refuse_limits(self, why: str) -> None:
        """EdgeTernaryError (code 2) for limits where they would have no effect."""
        if self.limits:
            option = f"--{next(iter(self.limits)).replace('_', '-')}"
            raise EdgeTernaryError(f"{option} has no effect here", why, "leave it out", USAGE)


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


def _counting(cores: tuple[str, ...], samples: int, flash_wait: str | None, **others: Any) -> Counting:
    waits = {"flash_wait": flash_wait} if flash_wait else {}
    limits = {key: others.pop(key) for key in LIMITS if key in others}
    given = {key: most for key, most in limits.items() if most is not None}
    return Counting(cores, {"count": samples, **others, **waits}, given)


_OPTIONS = (
    click.option(
        "--core",
        "cores",
        type=CoreNames(native=False),
        default=(),
        help=f"Of {short(CORTEX_M)}; default m0plus,m4.",
    ),
    defaulted("--samples", type=click.IntRange(1), default=1, help="Samples to count on."),
    optimize_option,
    compiler_option,
    level_option,
    flash_wait_option,
)
counting_options = record("counting", _counting, *_OPTIONS)
limited_options = record("counting", _counting, *_OPTIONS, *limit_options)
_KIND = titled(
    "Layer by its shape (docs/cli.md)",
    click.option(
        "--weights", default="ternary", metavar="TYPE", help="ternary (default), binary, int2 to int8."
    ),
    click.option("--activations", default="int8", metavar="TYPE", help="int8 (default), ternary, 2-bit."),
    click.option("--form", default="A", metavar="FORM", help="Requantize: A (shift, default), B, C or T."),
    defaulted("--seed", default=0, metavar="N", help="Seed of the random weights."),
)
kind_options = record("kind", Kind, *_KIND)
shape_options = record(
    "shape", Shape, click.option("--layer", metavar="LAYER", help="A layer of MODEL; else a shape."), *_KIND
)
