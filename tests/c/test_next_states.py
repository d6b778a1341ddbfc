"""Next contents of states are made in the states' memory, but never while the old content is still needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.c import memory
from edgeternary.c.layouts import NATURAL
from edgeternary.c.plan import Buffer
from edgeternary.c.select import select
from edgeternary.ir import Graph, Op, State
from edgeternary.ops import Concat, Shift, Slice, build
from tests.c.harness import check, every_plan
from tests.need import need

X = build.value("x", (4,), "uint4")
MOVED = Shift(name="moved", inputs=("past", "x"))
PART = Slice(name="part", inputs=("moved",), start=2, stop=7)
LATE = Slice(name="late", inputs=("past",), start=1, stop=6)


def state(name: str, written: str) -> State:
    return State(build.value(name, (12,), "uint4"), np.arange(12, dtype=np.int32), written)


def graph(*ops: Op, more: tuple[State, ...] = (), output: str = "") -> Graph:
    return Graph("register", X, ops, output or ops[-1].name, (state("past", "moved"), *more))


CASES = {  # name: (graph, where the next content of `past` is made)
    "nobody needs the old": (graph(MOVED, PART), "state"),
    "read before": (graph(LATE, MOVED, Concat(name="both", inputs=("moved", "late"))), "state"),
    "read after": (graph(MOVED, LATE, Concat(name="both", inputs=("moved", "late"))), "arena"),
    "another state takes the old": (graph(MOVED, PART, more=(state("older", "past"),)), "arena"),
    "two states take the new": (graph(MOVED, PART, more=(state("twin", "moved"),)), "arena"),
    "it is the answer": (graph(MOVED), "out"),
}


@pytest.mark.parametrize("name", CASES)
def test_where_the_next_content_is_made(name: str) -> None:
    found, kind = CASES[name]
    plan = select(found, "cortex-m4")
    assert plan.places[Buffer(found.values["moved"], NATURAL)].kind == kind


@pytest.mark.parametrize("name", CASES)
def test_every_plan_is_exact(name: str, tmp_path: Path) -> None:
    need("gcc")
    check(list(every_plan(CASES[name][0])), tmp_path)


def test_the_check_sees_a_content_that_is_made_too_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("gcc")
    right = memory._last_uses

    def forgetful(*arguments: object) -> dict[Buffer, int]:
        uses = right(*arguments)  # type: ignore[arg-type]
        return {
            buffer: min(index, 0) if buffer.value.name == "past" else index for buffer, index in uses.items()
        }

    monkeypatch.setattr(memory, "_last_uses", forgetful)
    with pytest.raises(AssertionError):
        check(list(every_plan(CASES["read after"][0])), tmp_path)
