"""The readable dump: every value with its type, shape and interval, and the fields that matter."""

from __future__ import annotations

import json

from edgeternary.ir.text import dump, rows, weight_bits
from tests.registry.graphs import STATEFUL, WHOLE, leaky, tiny_mlp


def test_dump_names_every_value() -> None:
    for make in WHOLE + STATEFUL:
        text = dump(make())
        for name, value in make().values.items():
            assert f"{name}: {value.type}[" in text
            assert f"in [{value.lo}, {value.hi}]" in text


def test_dump_of_a_dense_layer() -> None:
    line = next(line for line in dump(tiny_mlp()).splitlines() if "= dense(act1" in line)
    assert line.strip().startswith("fc2: int32[4] in [")
    assert "weights[4x35], weight_type=bipolar" in line


def test_dump_shows_states() -> None:
    assert "state  v: int16[4] in [-200, 200] <- v_next" in dump(leaky())


def test_weight_bits_count_planes() -> None:
    assert weight_bits(tiny_mlp()) == 2 * 35 * 12 + 1 * 4 * 35


def test_rows_are_plain_json() -> None:
    for make in WHOLE + STATEFUL:
        found = json.loads(json.dumps(rows(make())))
        assert [row["name"] for row in found] == [op.name for op in make().ops]
