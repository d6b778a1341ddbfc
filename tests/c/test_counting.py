"""The statements of the vertical counters and the algebra around them, executed in numpy."""

from __future__ import annotations

import re

import numpy as np
import pytest

from edgeternary.c import counting, weights
from edgeternary.c.counting import Line
from edgeternary.c.layouts import planes
from edgeternary.ops import build

TYPES = ["bipolar", "binary", "ternary", "uint2", "int2", "uint3", "int8", "uint8"]


def execute(lines: tuple[Line, ...], digits: dict[str, int], x: list[int], w: list[int]) -> None:
    """Run statements on 32-bit words, as the C does."""

    def agree(plus: int, minus: int, word: int) -> int:
        return (plus & word) | (minus & ~word)

    carries: dict[str, int] = {}
    for line in lines:
        scope = {"x": x, "w": w, "agree": agree, **carries, **digits}
        words = [eval(text.replace("@", ""), scope) & 0xFFFFFFFF for text in line.inputs]
        if line.kind == "start":
            digits[line.digit] = words[0]
            continue
        a, b, old = words[0], words[1] if len(words) > 1 else 0, digits[line.digit]
        digits[line.digit] = old ^ a ^ b
        carry = (a & b) | ((a ^ b) & old)
        if line.kind == "last":
            assert carry == 0, "a count left the top digit"
        else:
            carries[line.carry] = carry


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("weight_type", ["ternary", "bipolar"])
@pytest.mark.parametrize("inputs", [1, 31, 70, 784, 1600])
def test_count_is_the_dot_product(type: str, weight_type: str, inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    value = build.value("x", (inputs,), type)
    codes = build.codes(rng, (4, inputs), weight_type)
    codes[0] = 1
    bias = rng.integers(-50, 50, 4)
    rows = weights.grouped_rows(codes, weight_type, inputs).data
    words = -(-inputs // 32)
    plan = counting.schedule(words, value.type, weight_type)
    affine = counting.affine(codes, weight_type, bias, value.type, 32 * words)
    per_word = rows.shape[1] // words
    for sample in build.samples(rng, value, 4):
        packed = np.frombuffer(planes(value).encode(sample, value), "<u4").tolist()
        for o, row in enumerate(rows.tolist()):
            x, w = list(packed), list(row)
            digits = {name: 0 for name, _ in plan.digits} if plan.rounds else {}
            for _ in range(plan.rounds):
                execute(plan.loop, digits, x, w)
                x, w = x[plan.unroll * value.type.planes :], w[plan.unroll * per_word :]
            execute(plan.tail, digits, x, w)
            raw = sum(digits[name].bit_count() << exponent for name, exponent in plan.digits)
            assert affine.lo <= raw <= affine.hi
            assert affine.gain * raw + affine.offset[o] == codes[o].astype(int) @ sample + bias[o]


def test_a_carry_save_adder_takes_two_words() -> None:
    """32 words of one plane: at most one addition for each word in all digits together."""
    plan = counting.schedule(32, build.value("x", (1,), "bipolar").type, "bipolar")
    additions = [line for line in plan.tail if line.kind != "start"]
    assert len(additions) <= 32
    assert not re.search(r"sum64", str(plan.digits))
