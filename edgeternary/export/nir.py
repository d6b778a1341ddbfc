"""A spiking graph as NIR nodes, with a report of what their formulas do not say.

NIR resets a neuron to a constant and decays in real numbers; neurons here lose their threshold and round
down. What has no field goes into the node's metadata as JSON under "edgeternary", where
edgeternary.frontends.nir finds it again; another reader sees the node's formula alone, and `notes` say how
far that is from the graph.
"""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op, State
from edgeternary.ops import Add, Dense, Mul, Requantize, Threshold
from edgeternary.toolchains import extras

KEY = "edgeternary"
Found = tuple[Any, str, str, str]  # a node, the value that goes on, what else reads it, a note


@dataclass
class Exported:
    """graph: a nir.NIRGraph; notes: {node: what its formula does not say}."""

    graph: Any
    notes: dict[str, str] = field(default_factory=dict)


def to_nir(graph: Graph, *, dt: float = 1.0) -> Exported:
    """A chain of dense layers, neurons and integrators as a nir.NIRGraph, tau in units of `dt` seconds.

    EdgeTernaryError (code 1) for other layers, by name; code 3 where the package nir is missing.
    """
    with extras.named():
        import nir
    found = Exported(None)
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array(graph.input.shape)})}
    read, inner = graph.input.name, ""
    while read != graph.output:
        first = _next(graph, read, inner)
        if isinstance(first, Dense):
            nodes[first.name] = _linear(nir, first)
            read, inner = first.name, ""
            continue
        state, read = _state(graph, first), ""
        for recognise in (_neuron, _integrator):
            if made := recognise(nir, graph, first, state, dt):
                node, read, inner, note = made
                nodes[read] = node
                if note:
                    found.notes[read] = note
                break
        if not read:
            raise first.fail(
                f"a {first.kind} here is no part of a neuron or integrator of edgeternary.ops.neuron",
                "export a net of Linear, LIF, IF and Readout layers",
                f"layer {first.name!r} cannot be written as NIR",
            )
    nodes["output"] = nir.Output({"output": np.array(graph.output_value.shape)})
    names = list(nodes)
    meta = {"logit_scale": graph.meta.logit_scale, "name": graph.name}
    found.graph = nir.NIRGraph(nodes, list(pairwise(names)), metadata=meta)
    return found


def _next(graph: Graph, name: str, inner: str) -> Op:
    """The one layer that reads a value, apart from the reset called `inner`."""
    readers = [op for op in graph.consumers(name) if op.name != inner]
    if len(readers) != 1:
        raise EdgeTernaryError(
            f"model {graph.name!r} is no chain of layers",
            f"{name!r} is read by {len(readers)} layers",
            "export a net without branches",
        )
    return readers[0]


def _linear(nir: Any, op: Dense) -> Any:
    weight = op.weights.astype(np.float32)
    return nir.Affine(weight, op.bias.astype(np.float32)) if op.bias.any() else nir.Linear(weight)


def _state(graph: Graph, first: Op) -> State | None:
    """The state that is added to what `first` makes, or to its input."""
    held = {state.value.name: state for state in graph.states}
    at = first if isinstance(first, Add) else next(iter(graph.consumers(first.name)), first)
    for name in at.inputs:
        op = next((op for op in graph.ops if op.name == name), None)
        source = op.inputs[0] if isinstance(op, Requantize) and op is not first else name
        if source in held:
            return held[source]
    return None


def _only(graph: Graph, name: str, kind: type[Op]) -> Any:
    return next((op for op in graph.consumers(name) if isinstance(op, kind)), None)


def _neuron(nir: Any, graph: Graph, drive: Op, state: State | None, dt: float) -> Found | None:
    """The ops of edgeternary.ops.neuron.neurons read backwards."""
    if state is None or not isinstance(drive, Requantize) or drive.s.any() or np.ptp(drive.m):
        return None
    leak = _only(graph, state.value.name, Requantize)
    total = _only(graph, drive.name, Add)
    u = _only(graph, total.name, Requantize) if total else None
    spike = _only(graph, u.name, Threshold) if u else None
    after = next((op for op in graph.ops if op.name == state.next), None)
    if isinstance(after, Requantize):
        after = graph.op(after.inputs[0])
    if u is None or spike is None or not isinstance(after, Add | Mul) or u.name not in after.inputs:
        return None
    gate = _only(graph, spike.name, Requantize)
    if gate is None or gate.name not in after.inputs:
        return None
    subtract, shift = isinstance(after, Add), int(leak.s[0]) if leak else 0
    theta = -gate.m.astype(np.float64) if subtract else spike.t[:, 0].astype(np.float64)
    own = {"bias": drive.b.tolist(), "begin": state.init.tolist(), "rounding": "floor"}
    own["reset"] = "subtract" if subtract else "zero"
    gain, ones = float(drive.m[0]) * 2.0**shift, np.ones(len(theta))
    common = {"v_threshold": theta - 0.5, "v_reset": 0 * ones, "metadata": {KEY: json.dumps(own)}}
    if shift:
        node = nir.LIF(tau=ones * dt * 2.0**shift, r=ones * gain, v_leak=0 * ones, **common)
    else:
        node = nir.IF(r=ones * gain, **common)
    said = [
        (shift > 0, "decay rounds down to integers"),
        (subtract, "a spike takes the threshold off the potential; NIR sets it to v_reset"),
        (bool(drive.b.any()), "a bias is added at each step"),
        (bool(state.init.any()), "potentials do not start at 0"),
    ]
    return node, spike.name, gate.name, "; ".join(text for there, text in said if there)


def _integrator(nir: Any, graph: Graph, rise: Op, state: State | None, dt: float) -> Found | None:
    total = _only(graph, rise.name, Requantize) if isinstance(rise, Add) else None
    if state is None or total is None or state.next != total.name:
        return None
    note = "a bias is added at each step" if total.b.any() else ""
    own = {"bias": total.b.tolist()}
    return nir.I(r=np.ones(len(total.b)), metadata={KEY: json.dumps(own)}), total.name, rise.name, note
