"""Lanes: the layout, the proofs that lanes are wide enough, and networks whose values stay in lanes."""

from __future__ import annotations

import re
from itertools import cycle, product
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeternary.c.kernels.conv2d_baked import Conv2dBaked
from edgeternary.c.lanes.after.base import Reach
from edgeternary.c.lanes.border import border
from edgeternary.c.lanes.window import Window, part_rows
from edgeternary.c.layouts import Lanes
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.ir import Graph
from edgeternary.ops import Add, Conv2d, build
from tests.c.graphs import Net, cnn
from tests.c.harness import check, every_plan
from tests.c.lanes_nets import conv, nets, requantize
from tests.full import FULL
from tests.need import need
from tests.registry.fleet import Fleet

SHAPES = [(7, 5, 3), (8, 8, 1), (1, 11, 3), (4, 4, 2), (13, 6, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lanes", [2, 4])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("type", ["int8", "ternary", "bipolar", "uint2"])
def test_a_required_layout_shows_every_window(
    shape: tuple[int, int, int], lanes: int, stride: int, type: str
) -> None:
    """Round trip, and lane l of word (oy * s + ky, ...) is the padded input of output row starts[l] + oy."""
    rng = np.random.default_rng(0)
    x = build.value("x", shape, type)
    op = conv(rng, "x", shape, 2, "conv", stride)
    window = Window.of(op, x, op.infer([x]))
    assert window is not None
    starts = window.starts(lanes)
    layout = window.required(x, 1, starts)
    if window.out[0] < lanes:
        assert layout is None
        return
    assert layout is not None and window.reads(x, 1, layout) and window.outputs(layout) == starts
    codes = build.samples(rng, x, 3)[2]
    image = layout.encode(codes, x)
    assert len(image) == layout.size(x)
    np.testing.assert_array_equal(layout.decode(image, x), codes)
    words = np.frombuffer(image, "<u4").reshape(layout.rows, layout.width, -1)
    tall = codes if shape[0] > 1 else codes.transpose(1, 0, 2)
    padded = np.pad(tall, [(layout.top, 9), (layout.left, 9), (0, 0)], constant_values=1)
    unit, mask = 2 if type == "bipolar" else 1, 2**layout.bits - 1
    for oy in range(part_rows(starts, window.out[0])):
        for lane, start in enumerate(starts):
            for ky in range(window.kernel[0]):
                row = words[oy * window.stride[0] + ky] >> np.uint32(layout.bits * lane) & mask
                wanted = padded[(start + oy) * window.stride[0] + ky, : layout.width]
                np.testing.assert_array_equal(row.astype(np.int32) * unit + x.type.lo, wanted)


@pytest.mark.parametrize("height", range(4, 12))
@pytest.mark.parametrize("lanes", [2, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_borders_complete_what_a_producer_writes(height: int, lanes: int, stride: int) -> None:
    rng = np.random.default_rng(height)
    x = build.value("x", (height, 3, 2), "int8")
    op = conv(rng, "x", x.shape, 2, "conv", stride, kernel=5)
    window = Window.of(op, x, op.infer([x]))
    assert window is not None
    layout = window.required(x, 7, window.starts(lanes))
    assert (layout is None) == (window.out[0] < lanes)
    if layout is None:
        return
    rows = part_rows(layout.starts, height)
    edge = border(layout, x, rows, layout.starts)
    assert edge is not None
    right = np.frombuffer(layout.encode(build.samples(rng, x, 3)[2], x), "<u4").reshape(edge.rows, edge.row)
    words = right.copy()
    inner = slice(edge.left, edge.row - edge.right)
    for row in range(edge.rows):  # a producer writes its rows, in each lane and beyond the image too
        for lane, start in enumerate(layout.starts):
            if not (0 <= row - layout.top < rows and start + row - layout.top < height):
                words[row] ^= np.uint32((1 << layout.bits) - 1 << layout.bits * lane)
    words[:, : edge.left] = words[:, edge.row - edge.right :] = 0xDEADBEEF
    for fill in edge.fills:
        total = np.full(words.shape[1], fill.pads, np.uint64)
        for piece in fill.pieces:
            source = words[piece.source].astype(np.uint64)
            total |= (source << piece.shift if piece.shift > 0 else source >> -piece.shift) & piece.keep
        words[fill.to, inner] = total.astype(np.uint32)[inner]
    words[:, : edge.left] = words[:, edge.row - edge.right :] = edge.pad
    np.testing.assert_array_equal(words, right)


def test_bounds_take_the_signs_of_the_weights_apart() -> None:
    """258 inputs of 0..127 of each sign fit 16 bits; one more of either sign does not."""
    for plus, minus, fits in [(258, 258, True), (259, 258, False), (516, 0, True), (0, 516, True)]:
        x = build.value("x", (2, 1, plus + minus), "uint7")
        weights = np.array([1] * plus + [-1] * minus, np.int8).reshape(1, 1, 1, -1)
        op = Conv2d(
            name="c", inputs=("x",), weights=weights, weight_type="ternary", bias=np.zeros(1, np.int32)
        )
        reach = Reach.of(op, op.weights.astype(np.int32), np.ones(1, np.int64), x, False, 16)
        assert (reach.most >= plus + minus) == fits


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4"])
def test_networks_in_every_layout(core: str, tmp_path: Path) -> None:
    """The C references of what each core would run, under sanitizers."""
    need("gcc")
    turn = ("cortex-m0plus", "cortex-m3", "cortex-m4").index(core)
    plans = []
    for graph in nets():
        there = _on_lanes(graph, core)
        pools = [p for p in there if any(step.kernel.name == "max_pool_lanes" for step in p.steps)]
        plans += [select(graph, core), *there[turn :: 30 if FULL else 60], *pools[:1]]
    kernels = {step.kernel.name for plan in plans for step in plan.steps}
    assert {"conv2d_lanes", "pack_lanes", "add_lanes", "max_pool_lanes"} <= kernels
    check(plans, tmp_path)


def _to_planes(type: str, channels: int, height: int, core: str) -> Plan:
    """A convolution on lanes whose thresholds become bit planes row by row, for a pool and the next one."""
    net = Net("planes", build.value("x", (height, 6, 2), "uint2"), np.random.default_rng(channels))
    net.conv(channels, "ternary", "c1").threshold(type, "t1").pool("pool").conv(3, "ternary", "c2")
    kernels = {"conv2d": "conv2d_lanes", "max_pool": "max_pool_planes"}
    return select(net.graph(), core, allow=lambda m, k, o: k.name == kernels.get(m.ops[0].kind, k.name))


@pytest.mark.slow
def test_rows_become_bit_planes(tmp_path: Path) -> None:
    need("gcc")
    types, channels = ("bipolar", "binary", "ternary", "uint2", "int3", "uint4"), (3, 8, 16, 24, 40)
    turns = zip(cycle((8, 13)), cycle(("cortex-m0plus", "cortex-m4", "host")))
    cases = list(zip(product(types, channels), turns, strict=False))
    plans = [_to_planes(*case, *turn) for case, turn in cases[:: 1 if FULL else 2]]
    stores = {step.body.fields.get("store") for plan in plans for step in plan.steps}
    assert "planes" in stores
    check(plans, tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize("type", ["int8", "uint8", "ternary", "bipolar"])
def test_rows_of_every_length_are_packed(type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four elements at once where a core has lane instructions, then what is left of a row."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    monkeypatch.setattr(Conv2dBaked, "offers", lambda *_: iter(()))
    rng, graphs = np.random.default_rng(2), []
    for width, channels in [(1, 1), (7, 1), (1, 8), (3, 3), (2, 5), (11, 1), (4, 3), (1, 13)]:
        x = build.value("x", (9, width, channels), type)
        graphs.append(build.graph(x, conv(rng, "x", x.shape, 4, "c")))
        lanes = select(graphs[-1], "cortex-m4", allow=lambda m, k, o: not k.name.endswith("_stream"))
        assert "pack_lanes" in {step.kernel.name for step in lanes.steps}
    Fleet.of(graphs).check("cortex-m4")


def test_one_value_packed_twice() -> None:
    """Two windows whose pads differ read it, each in its own layout: the routines have their own names."""
    rng = np.random.default_rng(3)
    x = build.value("x", (8, 8, 4), "int8")
    left, right = conv(rng, "x", x.shape, 5, "left"), conv(rng, "x", x.shape, 5, "right")
    right = msgspec.structs.replace(right, pad_value=7)
    q = [requantize(rng, 5, f"q{i}", name) for i, name in enumerate(("left", "right"))]
    graph = build.graph(x, left, q[0], right, q[1], Add(name="sum", inputs=("q0", "q1")))
    plan = select(graph, "cortex-m4")
    assert [step.kernel.name for step in plan.steps].count("pack_lanes") == 2
    rows = re.findall(r"^\w+ void (\w*pack\w*_row)\(", next(iter(render_plan(plan).values())), re.MULTILINE)
    assert len(rows) == len(set(rows)) == 2


def _on_lanes(graph: Graph, core: str) -> list[Plan]:
    """Plans with values on lanes."""
    plans = every_plan(graph, core)
    return [plan for plan in plans if any(isinstance(step.out.layout, Lanes) for step in plan.steps)]


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m33"])
def test_no_multiplication_in_form_a(core: str) -> None:
    """In the disassembly of a ternary layer with a shift, and of one with thresholds."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    import capstone

    from edgeternary.run._emulator.image import link
    from edgeternary.run._model import render

    rng = np.random.default_rng(1)
    x = build.value("x", (8, 8, 4), "int8")
    shifted = build.graph(x, conv(rng, "x", x.shape, 5, "c"), requantize(rng, 5, "q", "c"))
    for graph in (shifted, cnn("ternary", "uint2", 8, (4,))):
        assert any(step.kernel.name == "conv2d_lanes" for step in select(graph, core).steps)
        image = link(render(graph, core), core)
        machine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        machine.skipdata = True
        names: set[str] = set()
        for function in image.elf.functions:
            if "_outputs" in function.name:
                start, code = next(
                    (a, b) for a, b in image.elf.segments if a <= function.address < a + len(b)
                )
                at = function.address - start
                names |= {
                    found.mnemonic for found in machine.disasm(code[at : at + function.size], start + at)
                }
        assert any(name.startswith("sub") for name in names)
        assert not {
            name for name in names if name.startswith(("mul", "mla", "mls", "sml", "smul", "uml", "umul"))
        }


def test_rows_beyond_the_image_are_pads() -> None:
    """Parts of two rows of seven: the second row of the last is none of the image."""
    value = build.value("x", (7, 3, 1), "uint2")
    layout = Lanes(starts=(0, 2, 4, 6), rows=3, width=5, top=1, left=1, pad=0)
    edge = border(layout, value, 2, layout.starts)
    assert edge is not None
    beyond = {fill.to: fill for fill in edge.fills}[2]
    assert [(piece.source, piece.shift, piece.keep) for piece in beyond.pieces] == [(2, 0, 0xFFFFFF)]
