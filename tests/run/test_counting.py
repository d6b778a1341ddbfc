"""Counts are exact, address by address, taken branches too.

Those of the emulated core are judged by a plugin of QEMU (an M0+ by the Cortex-M0 of the micro:bit), and
those of the plugin, which counts for the M55, by the log that QEMU writes of one instruction after the other.
"""

from __future__ import annotations

from collections import Counter as Multiset

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.boards import load_board
from edgeternary.run._bench import BenchModel
from edgeternary.run._emulator import count as counting
from edgeternary.run._emulator import qemu
from edgeternary.run._emulator.image import Image, Regions, link
from edgeternary.run._emulator.linear import Linear
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measure import measure
from edgeternary.run._emulator.timing.m33 import M33
from edgeternary.run._model import render
from tests.full import pairs
from tests.need import need
from tests.run import net, qemu_counts, qemu_trace

pytestmark = [pytest.mark.emulator, pytest.mark.system]
TARGETS = (
    ("microbit", "cortex-m0plus"),
    ("mps2_an385", "cortex-m3"),
    ("mps2_an386", "cortex-m4"),
    ("mps2_an500", "cortex-m7"),
    ("mps2_an505", "cortex-m33"),
)
STACK = 0x1000  # a micro:bit has 16 KB of RAM
Counts = dict[int, tuple[int, int]]


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    need("gcc", "qemu-system-arm", "unicorn", "capstone")


@pytest.fixture(autouse=True)
def small_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeternary.run._emulator.image.STACK_BYTES", STACK)


def unicorn_counts(image: Image, core: str, x: np.ndarray) -> Counts:
    """The same figures from the block pairs that the executor counts."""
    machine = Machine(image.elf, core, image.regions)
    counter = counting.Counter(machine, {}, image.elf.address(f"{image.model.prefix}_run"), None)
    names = ("bench_model", "bench_input", "bench_output")
    model, source, target = (image.elf.address(name) for name in names)
    machine.call(image.elf.address(f"{image.model.prefix}_reset"), model)
    machine.write(source, x.astype(np.uint8).tobytes())
    counter.reset()
    machine.call(image.elf.address(f"{image.model.prefix}_run"), model, source, target)
    counter.returned()
    runs: Multiset[int] = Multiset()
    taken: Multiset[int] = Multiset()
    decoder = counting.Decoder(machine)
    for (before, node), times in counter.edges().items():
        for instruction in decoder.block(*node).instructions:
            runs[instruction.address] += times
        if before != counting.START and sum(before) != node[0]:
            taken[decoder.block(*before).instructions[-1].address] += times
    total = sum(count.instructions for count in counter.layers().values())
    assert total == runs.total()
    return {address: (times, taken[address]) for address, times in runs.items()}


def branches() -> BenchModel:
    text = (net.FIXTURES / "branches.s.h").read_text()
    reset = '#include "net.h"\nvoid net_reset(net_t *model) { model->state[0] = 0; }\n'
    header = (net.FIXTURES / "net.h").read_text()
    return BenchModel("net", {"net.c": reset + text, "net.h": header})


@pytest.mark.parametrize(
    ("board", "core", "compiler"),
    [(*target, compiler) for target, compiler in pairs(TARGETS, ("zig", "gcc"))],
)
def test_equal_to_qemu(board: str, core: str, compiler: str) -> None:
    need("zig" if compiler == "zig" else "arm-none-eabi-gcc")
    image = link(net.model(), core, Regions.of(load_board(board)), compiler=compiler)
    x = net.inputs(1, steps=1)
    expected = qemu_counts.count(image, load_board(board), net.GRAPH, x)
    assert sum(runs for runs, _ in expected.values()) > 10_000
    assert unicorn_counts(image, core, x[0, 0]) == expected


def test_cycles_by_address_and_by_block() -> None:
    """What QEMU counted by address takes about the cycles that pairs of blocks take; its calls add up."""
    need("zig", "qemu-system-arm", "unicorn", "capstone")
    board, core = load_board("mps2_an505"), "cortex-m33"
    image = link(net.model(), core, Regions.of(board))
    x = net.inputs(1, steps=1)
    found = qemu.count(net.GRAPH, image, board, x, calls=1, timeout=60)
    assert len(found.within) == len(found.calls) == 4
    for address, counts in found.at.items():
        parts = [call[address] for call in found.within.values() if address in call]
        assert tuple(map(sum, zip(*parts, strict=True))) == counts
    whole = measure(net.GRAPH, image, core, x, 60).total
    assert whole.instructions == sum(runs for runs, _ in found.at.values())
    assert whole.cycles == pytest.approx(Linear(image.elf, M33).cycles(found.at), rel=0.1)


@pytest.mark.parametrize(("board", "core"), TARGETS[1:])
def test_every_kind_of_branch(board: str, core: str) -> None:
    need("zig")
    image = link(branches(), core, Regions.of(load_board(board)))
    x = net.inputs(1, steps=1)
    expected = qemu_counts.count(image, load_board(board), net.GRAPH, x)
    found = unicorn_counts(image, core, x[0, 0])
    assert found == expected
    assert len(found) > 5000 and sum(taken for _, taken in found.values()) > 40


@pytest.mark.parametrize(
    ("name", "board", "core"),
    [
        ("mnist-mlp-ternary-64", *TARGETS[0]), ("mnist-cnn-small", *TARGETS[0]), ("fashion-mlp", *TARGETS[2]),
        ("fashion-cnn", *TARGETS[2]),
    ],
)  # fmt: skip
def test_shipped_models(name: str, board: str, core: str) -> None:
    need("zig")
    graph = zoo.load(name)
    image = link(render(graph, core), core, Regions.of(load_board(board)))
    x = np.random.default_rng(3).integers(0, 256, (1, *graph.input.shape))
    expected = qemu_counts.count(image, load_board(board), graph, x)
    assert sum(runs for runs, _ in expected.values()) > 30_000
    assert unicorn_counts(image, core, x[0]) == expected


@pytest.mark.parametrize("name", ("net", "mnist-mlp-binary-64", "basic-motions"))
@pytest.mark.parametrize("compiler", ("zig", "gcc"))
def test_the_plugin_counts_what_qemu_logs(name: str, compiler: str) -> None:
    """On an M55, whose vector instructions, loops and predicates nothing else here runs."""
    need("zig" if compiler == "zig" else "arm-none-eabi-gcc")
    board = load_board("mps3_an547")
    graph = net.GRAPH if name == "net" else zoo.load(name)
    model = net.model() if name == "net" else render(graph, board.core)
    image = link(model, board.core, Regions.of(board), compiler=compiler)
    lead = (1, 1) if graph.states else (1,)
    x = np.random.default_rng(5).integers(graph.input.lo, graph.input.hi + 1, (*lead, *graph.input.shape))
    expected = qemu_trace.count(image, board, graph, x)
    assert sum(runs for runs, _ in expected.values()) > 5_000
    assert qemu_counts.count(image, board, graph, x) == expected


def test_the_log_sees_a_count_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig")
    board = load_board("mps3_an547")
    image = link(net.model(), board.core, Regions.of(board))
    x = net.inputs(2, steps=1)
    assert qemu_counts.count(image, board, net.GRAPH, x[:1]) != qemu_trace.count(
        image, board, net.GRAPH, x[1:]
    )


def test_the_comparison_can_fail() -> None:
    """One sample's count is not another's: net_run is not straight-line code."""
    need("zig")
    board = load_board("mps2_an386")
    image = link(net.model(), board.core, Regions.of(board))
    x = net.inputs(2, steps=1)
    expected = qemu_counts.count(image, board, net.GRAPH, x[:1])
    assert unicorn_counts(image, board.core, x[1, 0]) != expected
