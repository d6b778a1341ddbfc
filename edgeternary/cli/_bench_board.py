"""bench --explain, and bench --board: what the selection sees, and what a board's flash does to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgeternary.cli._output import print_rows
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.cli._counting import Counting
    from edgeternary.ir import Graph

EXPLAINED = ("core", "layer", "kernel", "layouts", "cycles", "flash", "scratch", "whole", "verdict")
PLACED = (
    "layer", "mode", "board", "code", "kernels", "instructions_per_mac", "cycles", "ms", "inferences_per_s",
    "cycles_most", "flash_bytes", "ram_bytes", "mismatches",
)  # fmt: skip


def explain(graph: Graph, cores: list[str], board: str | None, optimize: str, as_json: bool) -> None:
    """Print each layer's candidates."""
    from edgeternary.boards import load_board
    from edgeternary.build.c_project import fetch_of
    from edgeternary.c.explain import explain

    fetch = fetch_of(load_board(board)) if board else None
    rows = [
        {"core": core, **asdict(found)}
        for core in cores
        for found in explain(graph, core, optimize, fetch=fetch)
    ]
    print_rows(rows, EXPLAINED, as_json)


def core_of(board: str) -> str:
    """The core of a board that runs C."""
    from edgeternary.boards import load_board

    found = load_board(board)
    found.memory()
    return found.core


def on_board(name: str, graph: Graph, mode: str, board: str, counting: Counting) -> Iterator[dict[str, Any]]:
    """Rows of `graph` on a board: all code in flash, and whatever pays in RAM."""
    from edgeternary.bench.rows import measure_plan
    from edgeternary.boards import load_board
    from edgeternary.report.times import at_clock

    found = load_board(board)
    found.memory()
    for place in ("flash", "RAM"):
        allow = lambda match, kernel, offer, place=place: place == "RAM" or not offer.from_ram  # noqa: E731
        plan = counting.plan(graph, found.core, found, allow)
        in_ram = [step.layer for step in plan.calls if step.offer.from_ram]
        if place == "flash" or in_ram:
            row = measure_plan(plan, {**counting.options, "board": found.name})
            what = {"layer": name, "mode": mode, "board": found.name, "code": place, "in_ram": in_ram}
            yield {**what, **row, **at_clock(row["cycles"], found.clock_hz)}


def need_one(cores: Sequence[str], board: str | None) -> None:
    """--board says which core it is."""
    if board and cores:
        why = "a board has its own core"
        raise EdgeTernaryError("--core and --board together", why, "leave one of them out", USAGE)
