"""Streams of gaps: the lists, the proofs that lanes are wide enough, and layers of every kind from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from benchmarks import nets
from edgeternary.bench import modes
from edgeternary.bench.make import samples
from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.c.stream import lists as stream
from edgeternary.ir import Graph, IntArray, parse
from edgeternary.ir.names import identifier
from edgeternary.ops import Conv2d, Requantize, build
from edgeternary.ops.window import Padding, Pair
from edgeternary.run import run
from edgeternary.run.cortex_m import run_plan
from tests.c.disassembly import multiplications
from tests.c.graphs import Net
from tests.c.harness import check
from tests.full import pairs
from tests.need import need

NONE = (0, 0, 0, 0)
COMPILERS = [
    pytest.param("zig", marks=pytest.mark.emulator),
    pytest.param("gcc", marks=[pytest.mark.emulator, pytest.mark.system]),
]


def layer(
    shape: tuple[int, ...],
    out: int,
    kernel: Pair = (3, 3),
    stride: Pair = (1, 1),
    pad: Padding = (1, 1, 1, 1),
    type: str = "int8",
    weights: str = "ternary",
    groups: int = 1,
    form: str = "A",
    to: str = "int8",
    pad_value: int = 1,
) -> Graph:
    """A convolution and a requantize: form A (a shift), m (with a sign), B, tflite_double; "" for none."""
    rng = np.random.default_rng([*shape, out, *kernel, groups])
    x = build.value("x", shape, type)
    codes = build.codes(rng, (out, *kernel, shape[2] // groups), weights)
    op = Conv2d(
        name="conv", inputs=("x",), weights=codes, weight_type=weights, stride=stride, pad=pad,
        bias=rng.integers(-90, 90, out).astype(np.int32), pad_value=pad_value, groups=groups,
    )  # fmt: skip
    if not form:
        return build.graph(x, op)
    lo, hi = (0, 255) if to == "uint8" else (-128, 127)
    m = {
        "A": np.ones(out), "m": rng.choice([1, -1, 0], out), "B": rng.integers(-300, 300, out),
        "tflite_double": rng.integers(1 << 28, 1 << 30, out),
    }[form]  # fmt: skip
    s = rng.integers(30, 36, out) if form == "tflite_double" else rng.integers(0, 5, out)
    b = np.zeros(out) if form == "tflite_double" else rng.integers(-300, 900, out)
    after = Requantize(
        name="act", inputs=("conv",), m=m.astype(np.int32), b=b.astype(np.int32), zero=-3, lo=lo, hi=hi,
        s=(s + 8 * (form == "B")).astype(np.int32), type=to,
        rounding=form if form == "tflite_double" else "half_up",
    )  # fmt: skip
    return build.graph(x, op, after)


def thresholds(shape: tuple[int, ...], out: int, type: str, to: str) -> Graph:
    net = Net("steps", build.value("x", shape, type), np.random.default_rng(out))
    return net.conv(out, "ternary", "conv").threshold(to, "act").graph()


def layers() -> list[Graph]:
    return [
        layer((1, 1, 1), 1, (1, 1), pad=NONE),
        layer((5, 7, 3), 5),
        layer((5, 4, 13), 11, (1, 1), (2, 2), NONE, form="m"),
        layer((9, 5, 2), 7, (5, 3), (2, 1), (4, 1, 0, 2), form="B"),
        layer((6, 6, 7), 3, (2, 2), (2, 2), (0, 0, 1, 1), "uint8", form="A", to="uint8"),
        layer((4, 9, 40), 3, (3, 3), weights="bipolar", form="A", pad_value=-128),  # two parts
        layer((3, 11, 60), 2, (3, 3), form="tflite_double"),
        layer((1, 17, 4), 6, (1, 5), (1, 2), (0, 2, 0, 1), "uint7", to="uint8"),
        layer((4, 5, 3), 4, form=""),
        thresholds((7, 5, 6), 9, "ternary", "ternary"),  # four lanes
        thresholds((7, 5, 6), 9, "uint2", "uint4"),
        thresholds((3, 3, 2), 4, "bipolar", "bipolar"),
        layer((7, 5, 6), 6, groups=6),
        layer((9, 4, 3), 3, (5, 5), pad=(2, 1, 2, 3), type="uint8", groups=3, to="uint8"),
        layer((5, 6, 2), 6, groups=2, form="B"),
        layer((1, 12, 5), 5, (1, 3), pad=(0, 1, 0, 1), groups=5, form="m"),
        layer((6, 40, 3), 3, (3, 1), pad=(2, 0, 0, 0), groups=3, type="ternary", form=""),  # far apart
        layer((5, 4, 13), 11, (3, 2), (2, 1), (1, 0, 1, 1), weights="int4", form="B"),
        layer((4, 9, 8), 3, weights="int8", form="tflite_double", pad_value=-128),  # four parts
        lowest(layer((3, 7, 5), 4, weights="int8", type="uint8", to="uint8")),
        layer((3, 5, 2), 3, weights="int2", type="ternary", form="", pad_value=0),
        lowest(layer((7, 5, 6), 6, groups=6, weights="int3")),
        layer((9, 6, 3), 6, (3, 1), groups=3, weights="int6", type="uint4", form="m"),
    ]


def lowest(graph: Graph) -> Graph:
    """The same layer with the lowest code that weights may have in each output."""
    op, *others = graph.ops
    assert isinstance(op, Conv2d)
    codes = op.weights.copy()
    codes[:, 0, 0, 0] = parse(op.weight_type).lo
    return build.graph(graph.input, structs.replace(op, weights=codes), *others)


def chain() -> Graph:
    """Layers of every routine, with and without a sign, one after the other."""
    parts = [
        ("conv1", layer((9, 8, 3), 7, (3, 3), (2, 1), type="uint8", to="uint8")),
        ("conv2", layer((5, 8, 7), 5, (1, 1), pad=NONE, type="uint8")),
        ("conv3", layer((5, 8, 5), 8, (2, 3), pad=(0, 1, 1, 1), to="uint8")),
        ("conv4", layer((5, 8, 8), 8, (3, 3), type="uint8", groups=8)),
        ("conv5", layer((5, 8, 8), 8, (1, 5), pad=(0, 2, 0, 2), groups=8, to="uint8")),
        ("conv6", layer((5, 8, 8), 40, type="uint8")),
        ("conv7", layer((5, 8, 40), 6, weights="bipolar", form="B", pad_value=-128)),
        ("conv8", thresholds((5, 8, 6), 6, "int8", "ternary")),
        ("conv9", thresholds((5, 8, 6), 9, "ternary", "uint2")),
        ("conv10", layer((5, 8, 9), 9, type="uint2", groups=9, form="B")),
        ("conv11", lowest(layer((5, 8, 9), 7, weights="int4"))),
        ("conv12", lowest(layer((5, 8, 7), 7, weights="int3", groups=7, form="B", to="uint8"))),
        ("conv13", lowest(layer((5, 8, 7), 8, weights="int8", type="uint8", form=""))),
    ]
    before, ops = "x", []
    for name, graph in parts:
        source = before
        for op in graph.ops:
            inputs = (source,) if op is graph.ops[0] else (name,)
            before = name if op is graph.ops[0] else f"{name}_act"
            ops.append(structs.replace(op, name=before, inputs=inputs))
    return build.graph(parts[0][1].input, *ops)


def streamed(graph: Graph, core: str) -> Plan:
    """The plan with all convolutions from streams."""

    def only(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return match.ops[0].kind != "conv2d" or kernel.name in ("conv2d_stream", "depthwise_stream")

    return select(graph, core, allow=only)


def spoken(data: IntArray, lists: int) -> list[list[int]]:
    """Positions that nibbles stand for."""
    found, at = [], 0
    for _ in range(lists):
        position, row, nibbles = -1, [], iter([])
        while True:
            code = next(nibbles, None)
            if code is None:
                nibbles = iter((int(data[at]) >> 4, int(data[at]) & 15))
                at += 1
                continue
            if code == 0:
                break
            position += min(code, stream.SKIPPED)
            row += [position] * (code != stream.SKIP)
        found.append(row)
    assert at == len(data)
    return found


@pytest.mark.parametrize("density", [0.0, 0.02, 0.1, 0.55, 1.0])
def test_nibbles_say_where_weights_are(density: float) -> None:
    rng = np.random.default_rng(3)
    for inputs in (1, 14, 15, 16, 29, 300):
        codes = (rng.choice([-1, 1], (6, inputs)) * (rng.random((6, inputs)) < density)).astype(np.int32)
        codes[0] = 0
        found = stream.lists(codes, np.arange(inputs), 0, 1, 2)
        assert found is not None and found.parts == 1
        wanted = [np.flatnonzero(row == sign).tolist() for row in codes for sign in (-1, 1)]
        assert spoken(found.data, 12) == wanted


@pytest.mark.parametrize(
    ("bits", "inputs", "parts"),
    [(2, 30, 1), (3, 200, 2), (4, 40, 1), (4, 300, 4), (5, 7, 1), (8, 9, 2), (8, 180, 4)],
)
def test_lists_of_digits_are_the_weights(bits: int, inputs: int, parts: int) -> None:
    rng = np.random.default_rng(bits)
    codes = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (5, inputs)).astype(np.int32)
    codes[1], codes[2, ::9] = 0, -(2 ** (bits - 1))
    found = stream.lists(codes, np.arange(inputs), -128, 127, 2)
    assert found is not None
    lists = iter(spoken(found.data, 2 * len(found.rows)))
    total = np.zeros_like(codes)
    for row in total:
        for shift in found.shifts:
            for plane in range(found.planes - 1, -1, -1):
                for sign in (-1, 1):
                    row[next(lists)] += sign << shift + plane
    np.testing.assert_array_equal(total, codes)
    assert found.parts == parts and found.top < 1 << 16


def test_lanes_are_as_wide_as_the_sums() -> None:
    """257 numbers of 0..255 fill 16 bits; one more takes a second part."""
    rng = np.random.default_rng(0)
    cases = [(257, 0, 1), (0, 257, 1), (129, 128, 1), (258, 0, 2), (129, 129, 2), (2000, 0, None)]
    for plus, minus, parts in cases:
        codes = rng.permutation([1] * plus + [-1] * minus).astype(np.int32)[None]
        found = stream.lists(codes, np.arange(codes.size), 0, 255, 2)
        assert (found and found.parts) == parts
        if found and parts == 1:
            assert found.bias == 255 * minus and found.top == 0xFFFF
    thin = stream.lists(np.ones((1, 127), np.int32), np.arange(127), -1, 1, 4)
    assert thin is not None and (thin.parts, thin.bias, thin.top, thin.start) == (1, 127, 254, 0x7F7F7F7F)


@pytest.mark.slow
def test_layers_of_every_kind(tmp_path: Path) -> None:
    """The C references, under sanitizers."""
    need("gcc")
    check([streamed(graph, "cortex-m4") for graph in [*layers(), chain()]], tmp_path)


@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        pytest.param(core, *found.values, marks=found.marks)
        for core, found in pairs(["cortex-m0plus", "cortex-m3", "cortex-m4"], COMPILERS)
    ],
)
def test_the_assembly(core: str, compiler: str) -> None:
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    graph = chain()
    plan = streamed(graph, core)
    text = "".join(render_plan(plan).values())
    for name in (
        "streamed_us",
        "streamed_uu",
        "streamed_su",
        "channels_us",
        "channels_su",
        "plane4",
        "windows4",
        "digits8",
        "digit_taps8",
    ):
        assert f"example_{name}(" in text
    inputs = build.samples(np.random.default_rng(1), graph.input, 8)
    found = run_plan(plan, inputs, options={"compiler": compiler, "count": 0})
    right = run(graph, inputs).outputs
    assert len(np.unique(right)) > 9
    np.testing.assert_array_equal(found.outputs, right)


def test_a_wrong_gap_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("gcc")
    plan = streamed(layer((5, 7, 3), 5), "host")
    (step,) = plan.calls
    body = step.body
    lists = body.tables[0]
    data = lists.data.copy()
    high, low = int(data[0]) >> 4, int(data[0]) & 15
    data[0] = high - 1 << 4 | low if high > 1 else high + 1 << 4 | low
    wrong = Body([replace(lists, data=data), *body.tables[1:]], body.fields)
    monkeypatch.setitem(step.__dict__, "body", wrong)
    with pytest.raises(AssertionError, match="conv2d_stream"):
        check([plan], tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_no_multiplication_in_form_a(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    from edgeternary.run._emulator.image import link
    from edgeternary.run._model import of_plan

    for graph in (layer((9, 5, 8), 7), layer((9, 5, 8), 8, groups=8)):
        image = link(of_plan(streamed(graph, core)), core)
        assert multiplications(image.elf.path, identifier(graph.name)) == []


def test_layers_share_one_function() -> None:
    graph = nets.ds_cnn(modes.mode("ternary", "int8"))
    text = render_plan(streamed(graph, "cortex-m4"))["ds_cnn.c"]
    assert text.count("const uint8_t *ds_cnn_sums8(") == 2  # assembly and its reference
    assert text.count("ds_cnn_streamed_ss(x,") == 5 and text.count("ds_cnn_channels_ss(x,") == 4


@pytest.mark.emulator
@pytest.mark.system
@pytest.mark.parametrize(("core", "most"), [("cortex-m4", 7.65e6 / 2), ("cortex-m0plus", 28.5e6 / 4)])
def test_keyword_spotting_in_little_flash(core: str, most: float) -> None:
    """Half the int8 instructions on an M4, a quarter on an M0+, in 8 KiB and 0.3 byte a weight."""
    need("unicorn", "capstone", "arm-none-eabi-gcc")
    graph = nets.ds_cnn(modes.mode("ternary", "int8"))
    inputs = samples(graph.input, 1)
    options = {"compiler": "gcc", "optimize": "flash"}
    found = run(graph, inputs, on=core, options=options)
    np.testing.assert_array_equal(found.outputs, run(graph, inputs).outputs)
    weights = sum(op.weights.size for op in graph.ops if hasattr(op, "weights"))
    flash, instructions = found.stats["flash_bytes"], found.stats["instructions"]
    assert isinstance(flash, int) and flash <= 8192 + 0.3 * weights
    assert isinstance(instructions, int) and instructions <= most
