"""Generated assembly says what its blocks compute, in comments that are no instructions."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from edgeternary.c.assembly import joined, note, size, statements
from edgeternary.c.render import render_plan
from tests.c.harness import every_plan
from tests.c.lanes_nets import nets

LONG = 16  # instructions of a routine that needs comments
ROUTINE = re.compile(r"^\w+_ASM [^;{]*?(\w+)\([^{]*\{\n(.*?)^\}", re.M | re.S)


def test_notes_are_no_instructions() -> None:
    lines = [note("first"), "a", "b", "1:", note("second"), "c"]
    assert size(lines) == 4
    assert list(joined(lines)) == ["/* first */", "a; b", "1:", "/* second */", "c"]
    parts = statements([note("all"), *["a"] * 41])
    assert [len(part) for part in parts] == [41, 1]


@pytest.mark.slow
@pytest.mark.parametrize("core", ("cortex-m0plus", "cortex-m4", "cortex-m55"))
def test_long_routines_say_what_they_compute(core: str) -> None:
    bare = set()
    for graph in list(nets())[::6]:
        for plan in islice(every_plan(graph, core), 0, None, 10):
            for text in render_plan(plan).values():
                for name, body in ROUTINE.findall(text):
                    instructions = sum(line.count(";") + line.count("\\n") for line in body.splitlines())
                    if instructions > LONG and "/*" not in body:
                        bare.add(name)
    assert not bare
