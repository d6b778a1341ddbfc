"""Small designs are proven; a wrong table entry, a swapped wire, a threshold off by one are refuted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph, Value
from edgeternary.ir.names import identifier
from edgeternary.ops import Argmax, Compare, Dense, GroupCount, Lut, Reshape, build
from edgeternary.ops.lut import random_tables
from edgeternary.run import run
from tests.need import need

pytestmark = [pytest.mark.synth, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")
    need("yosys")


def tables(classes: int = 3, largest: bool = True) -> Graph:
    rng = np.random.default_rng(1)
    x = build.value("x", (6,), "uint4")
    bits = Compare(
        name="bits", inputs=("x",), source=np.sort(rng.integers(0, 6, 14)).astype(np.int32),
        t=rng.integers(1, 16, 14).astype(np.int32),
    )  # fmt: skip
    luts = random_tables(rng, build.graph(x, bits).output_value, 12, 4, name="tables")
    ends = np.linspace(4, 12, classes).astype(np.int32)
    count = GroupCount(name="counts", inputs=("tables",), ends=ends, bias=np.array([1, 0, -2], np.int32))
    best = [Argmax(name="best", inputs=("counts",))] if largest else []
    return build.graph(x, bits, luts, count, *best)


def compared(height: int, width: int) -> tuple[Value, Compare]:
    """A map, and two comparisons of each of its pixels."""
    t = np.array([5, 9], np.int32)
    bits = Compare(name="bits", inputs=("x",), source=np.zeros(2, np.int32), t=t)
    return build.value("x", (height, width, 1), "uint4"), bits


def windows() -> Graph:
    """Tables that read windows of a map, which a wired design has once for each place."""
    rng = np.random.default_rng(1)
    x, bits = compared(3, 4)
    graph = build.graph(x, bits)
    luts = random_tables(rng, graph.output_value, 2, 3, name="tables", kernel=(2, 2), pad=(1, 0, 0, 0))
    return build.graph(x, bits, luts)


def positions() -> Graph:
    """Tables of a map, whose bits a lut of one pin puts in the order of their groups: counted by position."""
    rng = np.random.default_rng(1)
    x, bits = compared(4, 5)
    luts = random_tables(rng, build.graph(x, bits).output_value, 6, 4, name="tables", kernel=(3, 3))
    graph = build.graph(x, bits, luts, Reshape(name="flat", inputs=("tables",), shape=(36,)))
    wiring = np.arange(36, dtype=np.int32).reshape(6, 3, 2).transpose(1, 0, 2).reshape(-1, 1)
    entries = np.tile(np.array([[0, 1]], np.int8), (36, 1))
    order = Lut(name="order", inputs=("flat",), wiring=wiring.copy(), tables=entries)
    ends, bias = np.array([12, 24, 36], np.int32), np.array([1, 0, -2], np.int32)
    return build.graph(
        x, *graph.ops, order, GroupCount(name="counts", inputs=("order",), ends=ends, bias=bias)
    )


def dense() -> Graph:
    rng = np.random.default_rng(3)
    x = build.value("x", (6,), "int4")
    fc = Dense(
        name="fc", inputs=("x",), weights=build.codes(rng, (5, 6), "ternary"), weight_type="ternary",
        bias=rng.integers(-3, 4, 5).astype(np.int32),
    )  # fmt: skip
    act = build.random_thresholds(rng, build.graph(x, fc).output_value, "bipolar", "act")
    out = Dense(
        name="out", inputs=("act",), weights=build.codes(rng, (3, 5), "bipolar"), weight_type="bipolar",
        bias=np.zeros(3, np.int32),
    )  # fmt: skip
    return build.graph(x, fc, act, out)


def subject(graph: Graph, **asked: object):
    from edgeternary.prove.build import subject as made

    found = made(graph, "hx8k", Constraints(**{"latency": 30, "embedded": True, **asked}), yosys="native")
    return replace(found, netlist=False)


@pytest.mark.parametrize("graph", [tables, windows])
def test_wired_networks_are_proven_with_every_order_of_pauses(graph) -> None:
    from edgeternary.prove.build import prove

    certificate = prove(subject(graph()), 5)
    assert certificate.state == "proven", certificate.text()
    assert {claim.state for claim in certificate.claims} == {"proven"}
    assert len(certificate.digests["rtl"]) == 64 and certificate.record()["state"] == "proven"


@pytest.mark.parametrize("graph", [lambda: tables(largest=False), positions], ids=["vector", "positions"])
def test_a_folded_network_is_proven_for_a_frame_alone(graph: Callable[[], Graph]) -> None:
    from edgeternary.prove.build import prove

    certificate = prove(subject(graph(), latency=0, embedded=False), 5)
    states = {claim.step: claim.state for claim in certificate.claims}
    assert states == {"graph = RTL": "proven", "RTL, pauses and frames in a row": "only simulated"}


def test_a_wrong_bias_of_positions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the input that shows it, which a simulator would confirm, the claim is open."""
    from edgeternary.prove.build import prove

    right = positions()
    *ops, count = right.ops
    assert isinstance(count, GroupCount)
    wrong = msgspec.structs.replace(count, bias=count.bias + np.array([0, 1, 0], np.int32))
    rtl = subject(right.with_ops([*ops, wrong]), latency=0, embedded=False).rtl
    monkeypatch.setattr("edgeternary.prove.counterexample.confirmed", lambda *given: None)
    certificate = prove(replace(subject(right, latency=0, embedded=False), rtl=rtl), 5)
    assert certificate.state == "open" and "counts (group_count)" in certificate.text()
    assert "number 1 is" in certificate.text()


def table_entry(text: str) -> str:
    """One bit of a table of the design: the entry where all pins are 0."""
    found = next(iter(re.finditer(r"assign tables_\d+ = 16'd(\d+) >>", text)))
    return text[: found.start(1)] + str(int(found[1]) ^ 1) + text[found.end(1) :]


def swapped(text: str) -> str:
    """A table reads another wire."""
    found = next(m for m in re.finditer(r"assign tables_\d+ = .*?(bits_\d+)", text))
    other = next(name for name in re.findall(r"wire .*?(bits_\d+);", text) if name != found[1])
    return text[: found.start(1)] + other + text[found.end(1) :]


def off_by_one(text: str) -> str:
    """The hardware of a network with another threshold."""
    graph = tables(largest=False)
    bits, *others = graph.ops
    assert isinstance(bits, Compare)
    used = int(next(m for m in re.finditer(r"assign tables_\d+ = .*?bits_(\d+)", text))[1])
    t = bits.t.copy()
    t[used] += 1 if t[used] < 15 else -1
    return subject(graph.with_ops([msgspec.structs.replace(bits, t=t), *others])).rtl


@pytest.mark.parametrize(
    ("fault", "layer"), [(table_entry, "tables"), (swapped, "tables"), (off_by_one, "bits")]
)
def test_a_seeded_fault_is_refuted_with_an_input_that_fails_in_simulation(fault, layer) -> None:
    from edgeternary.prove.build import prove
    from edgeternary.run import cxxrtl

    right = subject(tables(largest=False))
    wrong = replace(right, rtl=fault(right.rtl))
    assert wrong.rtl != right.rtl
    certificate = prove(wrong, 5)
    assert certificate.state == "refuted", certificate.text()
    found = certificate.counterexample
    assert found is not None and found.layer == layer and found.simulated == "cxxrtl"
    codes = np.array([found.inputs], np.int32).reshape(1, *right.graph.input.shape)
    answer = cxxrtl.simulate(
        wrong.design, "design.v", wrong.rtl, "read_verilog design.v", codes, {"yosys": "native"}
    ).outputs
    assert (answer != run(right.graph, codes).outputs).any()


@pytest.mark.parametrize("asked", [{}, {"latency": 0, "embedded": False}], ids=["wired", "folded"])
def test_the_last_of_equal_numbers_is_refuted(asked: dict[str, object]) -> None:
    """The argmax takes the later of two numbers where they are equal."""
    from edgeternary.prove.build import prove

    right = subject(tables(), **asked)
    head, mark, part = right.rtl.partition("module example_best")
    wrong = replace(right, rtl=head + mark + part.replace(") >= ", ") > ", 1))
    assert wrong.rtl != right.rtl and prove(right, 5).state == "proven"
    certificate = prove(wrong, 5)
    assert certificate.state == "refuted", certificate.text()
    assert certificate.counterexample is not None and certificate.counterexample.layer == "best"


def test_a_prover_without_time_proves_nothing() -> None:
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.prove.build import prove

    certificate = prove(subject(dense()), 1e-9)
    assert certificate.state == "open"
    with pytest.raises(EdgeTernaryError, match="is not proven") as caught:
        certificate.refuse()
    assert caught.value.code == 1


@pytest.mark.parametrize(
    ("states", "found", "code"),
    [
        (("proven", "only simulated"), "proven", None),
        (("proven", "open"), "open", 1),
        (("proven", "open", "refuted"), "refuted", 4),
        (("only simulated",), "only simulated", 1),
        ((), "only simulated", 1),
    ],
)
def test_nothing_is_called_proven_that_is_only_simulated(states, found, code) -> None:
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.prove.certificate import Certificate, Claim

    certificate = Certificate("m", "up5k", {}, [Claim("graph = RTL", "layer", state) for state in states])
    assert certificate.state == found
    assert certificate.text().startswith(f"m for up5k: {found}")
    assert ("1 of 2 claims only simulated" in certificate.text()) == (states == ("proven", "only simulated"))
    if code is None:
        certificate.refuse()
        return
    with pytest.raises(EdgeTernaryError) as caught:
        certificate.refuse()
    assert caught.value.code == code


def test_the_netlist_is_proven_and_a_wrong_one_is_not() -> None:
    need("yosys-abc")
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.tools.synthesis import synthesise
    from edgeternary.prove import netlists
    from edgeternary.prove.gates import paired

    made = subject(dense())
    top = identifier(made.graph.name)
    _, folder = synthesise(made.rtl, top, "hx8k", "native")
    text = (folder / "netlist.v").read_text(encoding="utf-8")
    rtl = netlists.of_rtl(made.rtl, top, "native")
    cells = family("hx8k").cells
    right = netlists.of_netlist(text, top, cells, "native")
    assert netlists.equal("RTL = netlist", rtl, right, paired(rtl, right), 60).state == "proven"
    pairs = paired(rtl, right)
    del pairs.same[next(iter(pairs.same))]  # others depend on it
    assert netlists.equal("RTL = netlist", rtl, right, pairs, 60).state == "open"
    found = next(re.finditer(r"LUT_INIT\(16'h([0-9a-f]{4})\)", text))
    wrong = text[: found.start(1)] + f"{int(found[1], 16) ^ 0xFFFF:04x}" + text[found.end(1) :]
    gates = netlists.of_netlist(wrong, top, cells, "native")
    assert netlists.equal("RTL = netlist", rtl, gates, paired(rtl, gates), 60).state == "refuted"


@pytest.mark.parametrize(("kind", "example"), [("conv2d", 10), ("sum_pool", 3)])
def test_layers_of_a_folded_cnn_are_proven(kind: str, example: int) -> None:
    from edgeternary.ir.op import REGISTRY
    from edgeternary.prove.build import prove

    graph = REGISTRY[kind].examples(np.random.default_rng(1))[example]
    certificate = prove(subject(graph, latency=0, embedded=False), 5)
    assert {claim.state for claim in certificate.claims[:-1]} == {"proven"}, certificate.text()


def test_a_bitstream_is_proven_to_be_its_netlist() -> None:
    need("yosys-abc", "nextpnr-ice40", "icebox_vlog")
    from edgeternary.prove.build import prove
    from edgeternary.prove.certificate import NETLIST_BITSTREAM, RTL_NETLIST

    made = replace(subject(tables(largest=False), latency=0, embedded=False), netlist=True)
    states = {claim.step: claim.state for claim in prove(made, 5).claims}
    assert states[RTL_NETLIST] == states[NETLIST_BITSTREAM] == "proven"
