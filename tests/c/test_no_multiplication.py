"""No multiply instruction in a binary or ternary layer with thresholds or form A: any kernel, any core.

Every offer of every kernel for such layers is built into one image a core and compiler, and all functions of
the models are disassembled: kernels, the changes of layout before them, address computations. A kernel that
is registered is covered at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from edgeternary.c.kernels import kernels
from edgeternary.c.plan import Plan, Step
from edgeternary.c.render import render_plan
from edgeternary.cores import CORTEX_M
from edgeternary.ir import REGISTRY, Graph
from edgeternary.ops import Requantize, build
from edgeternary.run._bench import BenchModel
from tests.c.graphs import conv, dense, followed
from tests.c.harness import every_plan
from tests.c.table_nets import sums
from tests.full import FULL
from tests.need import need
from tests.registry.fleet import _header, _source

PACKED = ("ternary", "bipolar")
LAYERS = ("conv2d", "dense")
FOLLOWS = ("A", "uint2", "bipolar", "ternary", "uint4")
MULTIPLYING = {
    "conv2d_int",
    "conv2d_nibbles",
    "conv2d_octets",
    "conv2d_pairs",
    "conv2d_vectors",
    "conv2d_words",
    "dense_int",
    "dense_nibbles",
    "dense_octets",
    "dense_pairs",
    "dense_vectors",
    "dense_words",
    "depthwise_int",
    "depthwise_pairs",
    "depthwise_vectors",
}  # kernels for weights of 4 and 8 bits, and VMLADAVA for all
COMPILERS = {"gcc": "arm-none-eabi-gcc", "zig": "zig"}
# (core, compiler): the part, of how many, of the pairs of a layer and a kernel. The smallest core and the one
# with vectors have both compilers, which share the pairs, as cores do that have the same instructions.
# Cortex-M7 has the instructions of Cortex-M4, and the same kernels.
PARTS = {
    ("cortex-m0plus", "gcc"): (0, 2),
    ("cortex-m0plus", "zig"): (1, 2),
    ("cortex-m3", "gcc"): (0, 2),
    ("cortex-m33", "gcc"): (1, 2),
    ("cortex-m4", "zig"): (1, 2),
    ("cortex-m55", "gcc"): (0, 2),
    ("cortex-m55", "zig"): (1, 2),
}
MEMBERS = r"m\d+"  # names of the models
IN_TURN = 4 if FULL else 8  # of each n offers of one kernel for one layer, one is built


def step_of(chosen: list[Plan], text: str) -> Step:
    """The step of 'm<plan>_<step>_<layer>: instruction'."""
    plan, step = map(int, text.removeprefix("m").split("_")[:2])
    return chosen[plan].calls[step]


def doubles(step: Step) -> bool:
    """Bits of bipolar inputs are counted: clang multiplies a count by 2 where it has 2 in a register."""
    return step.kernel.name.endswith("_planes") and step.ins[0].value.type.name == "bipolar"


# What compilers add, none of it for the layer's arithmetic: see `doubles`; an address after a loop that was
# unrolled; the turns of a loop by a reciprocal.
ADDED: dict[tuple[str, str], Callable[[Step], bool]] = {
    ("cortex-m0plus", "zig"): lambda step: doubles(step) or step.kernel.name == "conv2d_stream",
    **dict.fromkeys(
        (("cortex-m55", "gcc"), ("cortex-m55", "zig")), lambda step: step.kernel.name.endswith("_slices")
    ),
}


def product(step: Step) -> bool:
    """Whether the kernel multiplies, or thresholds became a product that equals them, see passes.linear."""
    return step.kernel.name in MULTIPLYING or any(
        isinstance(op, Requantize) and (abs(op.m) & (abs(op.m) - 1)).any() for op in step.ops
    )


def layers(turn: int) -> Iterator[Graph]:
    """The examples of the registry, and sizes whose strides are no powers of two; each with what follows.

    turn  the number of a core: a layer has one follower a core, and all of them on five cores
    """
    rng = np.random.default_rng(5)
    graphs = [graph for kind in LAYERS for graph in REGISTRY[kind].examples(rng)]
    for weight_type, type in (("ternary", "int8"), ("ternary", "uint2"), ("bipolar", "bipolar")):
        image, row = build.value("x", (7, 5, 37), type), build.value("x", (77,), type)
        graphs += [build.graph(image, conv(rng, image, 7, weight_type, "conv"))]
        graphs += [build.graph(row, dense(rng, row, 37, weight_type, "dense"))]
    packed = [graph for graph in graphs if getattr(graph.ops[0], "weight_type", "") in PACKED]
    for number, graph in enumerate(packed):
        yield followed(graph, FOLLOWS[(number + turn) % len(FOLLOWS)], rng)
    yield from (sums(rng, kind, "binary", "binary") for kind in LAYERS)  # of few terms, which are tables


def plans(core: str, part: int, parts: int) -> list[Plan]:
    """Every kernel for every layer, or a part of these pairs with each kernel once; layouts take turns."""
    turn = sorted(CORTEX_M).index(core)
    found: list[Plan] = []
    pairs: dict[tuple[int, str], int] = {}
    for number, graph in enumerate(layers(turn)):
        seen: dict[str, int] = {}
        for plan in every_plan(graph, core):
            if any(map(product, plan.calls)):
                continue
            name = next(step.kernel.name for step in plan.calls if step.ops)
            seen[name] = seen.get(name, -1) + 1
            first = all(known != name for _, known in pairs)
            pair = pairs.setdefault((number, name), len(pairs))
            if seen[name] % IN_TURN == 0 and (first or pair % parts == part):
                found.append(plan)
    return found


def fleet(chosen: list[Plan]) -> BenchModel:
    """All of them in one model."""
    named = [replace(plan, graph=replace(plan.graph, name=f"m{i}")) for i, plan in enumerate(chosen)]
    sources: dict[str, str] = {}
    for plan in named:
        sources |= render_plan(plan)
    members = [plan.graph for plan in named]
    sizes = [
        sum(value.size * value.type.dtype.itemsize for value in values)
        for values in ([g.input for g in members], [g.output_value for g in members])
    ]
    return BenchModel("fleet", {**sources, "fleet.h": _header(members, *sizes), "fleet.c": _source(members)})


@pytest.mark.emulator
@pytest.mark.parametrize(("core", "compiler"), PARTS)
def test_no_multiply_instruction(core: str, compiler: str) -> None:
    need(COMPILERS[compiler], "capstone")
    from edgeternary.run._emulator.image import link
    from tests.c.disassembly import instructions, multiplications

    part, parts = PARTS[core, compiler]
    chosen = plans(core, part, parts if FULL else 2 * parts)
    assert {known for known, _ in PARTS} == {*CORTEX_M} - {"cortex-m7"}
    used = {step.kernel.name for plan in chosen for step in plan.calls if step.ops}
    layered = {k.name for k in kernels() if any(pattern[0] in LAYERS for pattern in k.patterns)}
    assert layered - used <= MULTIPLYING
    path = link(fleet(chosen), core, compiler=compiler).elf.path
    found = multiplications(path, MEMBERS)
    added = ADDED.get((core, compiler), lambda step: False)
    assert [text for text in found if not added(step_of(chosen, text))] == []
    seen = {name.split("_")[0] for name, _ in instructions(path, MEMBERS)}
    assert seen == {f"m{i}" for i in range(len(chosen))}, "the functions of every model were looked at"


@pytest.mark.emulator
def test_a_multiplication_is_seen() -> None:
    """The same check on a layer with form B, which needs one."""
    need("zig", "capstone")
    from edgeternary.run._emulator.image import link
    from tests.c.disassembly import multiplications

    graph = followed(REGISTRY["dense"].examples(np.random.default_rng(5))[0], "B", np.random.default_rng(0))
    plan = next(iter(every_plan(graph, "cortex-m4")))
    assert multiplications(link(fleet([plan]), "cortex-m4", compiler="zig").elf.path, MEMBERS)
