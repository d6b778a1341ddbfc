"""NIR there and back, NIR's own formulas in floats against the graph, and what is refused."""

from __future__ import annotations

import importlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.export.nir import to_nir
from edgeternary.frontends import nir as reader
from edgeternary.frontends.nir import from_nir
from edgeternary.ir import Graph, Op, State, Value, parse
from edgeternary.ops import Dense, build
from edgeternary.ops.neuron import Cells, integrator, named, neurons
from edgeternary.run import run
from edgeternary.toolchains import find
from tests.need import need
from tests.registry.graphs import inputs, leaky

nir: Any = importlib.import_module("nir") if find("nir").found else None


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("nir")


def spiking(shift: int = 2, subtract: bool = True) -> Graph:
    """Two layers of neurons and an integrator, with biases and first potentials."""
    rng = np.random.default_rng(3)
    x = top = build.value("events", (12,), "binary")
    ops: list[Op] = []
    states: list[State] = []
    for layer, cells in (("a", 9), ("b", 5)):
        weights = build.codes(rng, (cells, top.size), "ternary")
        fc = Dense(
            name=f"{layer}.fc", inputs=(top.name,), weights=weights, weight_type="ternary",
            bias=rng.integers(-1, 2, cells).astype(np.int32),
        )  # fmt: skip
        theta = rng.integers(4, 20, cells)
        form = Cells(theta, rng.integers(-3, 9, cells), theta // 2, shift, 2, subtract)
        made = neurons(named(layer), fc.infer([top]), form)
        ops += [fc, *made.ops]
        states.append(made.state)
        top = Value(layer, (cells,), parse("binary"), 0, 1)
    total = integrator(named("sum"), top, np.arange(5))
    return Graph("net", x, (*ops, *total.ops), "sum", (*states, total.state))


@pytest.mark.parametrize("subtract", [True, False])
@pytest.mark.parametrize("shift", [0, 2])
def test_there_and_back_through_a_file(shift: int, subtract: bool, tmp_path: Path) -> None:
    graph = spiking(shift, subtract)
    out = to_nir(graph)
    nir.write(str(tmp_path / "net.nir"), out.graph)
    back = from_nir(tmp_path / "net.nir", name="net")
    codes = inputs(graph, 20, steps=15)
    expected = run(graph, codes)
    assert expected.outputs.any()
    np.testing.assert_array_equal(run(back.graph, codes).outputs, expected.outputs)
    assert back.notes == []
    assert ("decay" in out.notes["a"]) == (shift > 0)
    assert ("takes the threshold off" in out.notes["b"]) == subtract


def formulas(graph: Any, order: list[str], events: np.ndarray) -> np.ndarray:
    """The nodes' formulas in float64, an Euler step of 1 each; written from NIR's documentation alone."""
    v: dict[str, Any] = dict.fromkeys(order, 0.0)
    out = []
    for x in events.astype(np.float64):
        for name in order:
            node = graph.nodes[name]
            if isinstance(node, nir.Affine | nir.Linear):
                x = node.weight @ x + getattr(node, "bias", 0.0)
            elif isinstance(node, nir.I):
                x = v[name] = v[name] + node.r * x
            elif isinstance(node, nir.Threshold):
                x = (x > node.threshold).astype(np.float64)
            else:
                u = v[name] + node.r * x
                x = (u > node.v_threshold).astype(np.float64)
                v[name] = np.where(x > 0, node.v_reset, u)
        out.append(x)
    return np.array(out)


def test_exact_nodes_follow_the_formulas_of_nir() -> None:
    rng = np.random.default_rng(5)
    nodes = {
        "input": nir.Input({"input": np.array([12])}),
        "fc": nir.Affine(rng.integers(-2, 3, (8, 12)).astype(float), rng.integers(-2, 3, 8).astype(float)),
        "if": nir.IF(r=np.full(8, 4.0), v_threshold=rng.uniform(0, 30, 8)),
        "fc2": nir.Linear(rng.integers(-1, 2, (6, 8)).astype(float)),
        "gate": nir.Threshold(np.array([0.0, 0.5, 1.0, 1.5, 2.0, 0.0])),
        "sum": nir.I(r=np.ones(6)),
        "output": nir.Output({"output": np.array([6])}),
    }
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(pairwise(names)))
    found = from_nir(graph)
    assert found.notes == []
    events = rng.integers(0, 2, (10, 25, 12))
    answers = run(found.graph, events).outputs
    for k in range(10):
        np.testing.assert_array_equal(answers[k], formulas(graph, names[1:-1], events[k]))


def chain(*nodes: Any) -> Any:
    every = [nir.Input({"input": np.array([4])}), *nodes, nir.Output({"output": np.array([4])})]
    names = [f"n{k}" for k in range(len(every))]
    edges = list(pairwise(names))
    return nir.NIRGraph(dict(zip(names, every, strict=True)), edges, type_check=False)


def lif(**changes: float) -> Any:
    fields = {"tau": 4.0, "r": 4.0, "v_leak": 0.0, "v_threshold": 3.0, "v_reset": 0.0} | changes
    return nir.LIF(**{name: np.full(4, value) for name, value in fields.items()})


def noted(bias: float) -> Any:
    """An integrator whose metadata gives a bias."""
    return nir.I(r=np.ones(4), metadata={"edgeternary": json.dumps({"bias": [bias] * 4})})


def test_leaky_neurons_come_in_where_that_is_asked_for_and_are_noted() -> None:
    with pytest.raises(EdgeTernaryError, match=r"n2 \(LIF\): its decay v / tau rounds down"):
        from_nir(chain(nir.Linear(np.eye(4)), lif()))
    found = from_nir(chain(nir.Linear(np.eye(4)), lif()), inexact=True)
    assert [row.name for row in found.rows if row.note] == ["n2"]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ((nir.Linear(np.full((4, 4), 0.5)),), "weight is not made of integers"),
        ((nir.Linear(np.eye(4)), lif(tau=3.0)), "tau / dt is no power of two"),
        ((nir.Linear(np.eye(4)), lif(v_leak=1.0)), "v_leak is not 0"),
        ((nir.Linear(np.eye(4)), lif(v_reset=1.0)), "v_reset is not 0"),
        ((nir.Linear(np.eye(4)), lif(v_threshold=-1.0)), "v_threshold is not between"),
        ((nir.Linear(np.eye(4)), noted(2**31)), "bias is not made of integers"),
        ((nir.Linear(np.eye(4)), noted(10**30)), "bias is not made of integers"),
        ((nir.Linear(np.eye(4)), noted(0.5)), "bias is not made of integers"),
        ((nir.Scale(np.ones(4)),), "no exact form of Scale"),
        ((nir.Delay(np.ones(4)),), "no exact form of Delay"),
    ],
)
def test_what_has_no_exact_form_is_named(nodes: tuple[Any, ...], said: str) -> None:
    with pytest.raises(EdgeTernaryError, match=said):
        from_nir(chain(*nodes), inexact=True)


def test_recurrence_damaged_files_and_other_graphs_are_refused(tmp_path: Path) -> None:
    graph = chain(nir.Linear(np.eye(4)), nir.Linear(np.eye(4)))
    graph.edges.append(("n2", "n1"))
    with pytest.raises(EdgeTernaryError, match="no chain"):
        from_nir(graph)
    (tmp_path / "bad.nir").write_bytes(b"no file of this kind")
    with pytest.raises(EdgeTernaryError, match="cannot read"):
        from_nir(tmp_path / "bad.nir")
    with pytest.raises(EdgeTernaryError, match="cannot be written as NIR"):
        to_nir(leaky())


def test_damaged_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is refused, and so is one that the library never comes back from."""
    path = tmp_path / "net.nir"
    nir.write(str(path), to_nir(spiking()).graph)
    content, rng = path.read_bytes(), np.random.default_rng(5)
    assert from_nir(path).graph.states
    flipped = bytearray(content)
    for at in rng.integers(0, len(content), 40):
        flipped[at] ^= 0xFF
    for damaged in (content[: len(content) // 2], bytes(flipped), b"no HDF5"):
        path.write_bytes(damaged)
        with pytest.raises(EdgeTernaryError) as refusal:
            from_nir(path)
        assert refusal.value.code == 1
    path.write_bytes(content)
    monkeypatch.setattr(reader, "TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(reader, "PATIENCE", 0.3)
    with pytest.raises(EdgeTernaryError, match=r"cannot read .*net\.nir.*longer than 0\.3 s"):
        from_nir(path)
