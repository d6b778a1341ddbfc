"""The report as plain data: what a graph is, what it takes on its target, and what was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from edgeternary.build.manifest import PACKAGES
from edgeternary.build.project import Project
from edgeternary.ir import Graph, Value
from edgeternary.ir.file import to_bytes
from edgeternary.ops.sizes import sizes
from edgeternary.report.html.accuracy import recorded
from edgeternary.report.html.arena import arena
from edgeternary.report.html.layers import candidates, layers, steps
from edgeternary.report.html.target import target_of
from edgeternary.report.html.totals import totals
from edgeternary.report.summary import layer_of
from edgeternary.version import __version__

Document = dict[str, Any]
VERSION = 1  # of the document; a reader refuses others
QUICK = 10_000  # moves that `compile` looks at to say why kernels were chosen: 0.2 seconds
TOOLS = ("compiler", "yosys", "nextpnr", "unicorn", "qemu-system-arm")  # words of `measured`


def document(project: Project, most: float = float("inf")) -> Document:
    """The report of a model that was compiled.

    most  moves that may be looked at to say why kernels were chosen; where that is not enough `candidates`
          is None

    report         version of the document
    edgeternary    version of the package
    model          name, summary, digest of its file, inputs, outputs, sums over the layers
    target         name, title, kind (c or fpga), core, clock_hz, and what it has
    figures        the totals: word, value, source (estimated, counted, built, placed); see `totals`
    layers         a row for each layer in order; `inputs` are names of layers, inputs and states
    steps          of C: the rows that `compile --json` prints as layers, with estimated flash
    candidates     of C: the rows that `bench --explain --json` prints
    arena          of C: which value lies where while each step runs
    parts          of an FPGA: the rows that `compile --json` prints as layers
    estimates, measured, files   as `compile --json` prints them
    accuracy       on labelled samples, with the confusion matrix; None without
    exactness      executors that were compared with numpy, with digests of their outputs
    against        how another report differs, see report.html.against; None without
    tools          versions, as far as tools took part
    """
    graph = project.model
    assert graph is not None
    made, heads, own = project.report(), layer_of(graph), target_of(project)
    hardware = own["kind"] == "fpga"
    called = steps(project.plan, project.layers, graph, heads) if project.plan else []
    found: Document = {
        "report": VERSION,
        "edgeternary": __version__,
        "model": _model(graph),
        "target": own,
        "figures": [],
        "layers": layers(graph, project, heads, called),
        "steps": called,
        "candidates": candidates(project, heads, most),
        "arena": arena(project.plan) if project.plan else None,
        "parts": [{**row, "layer": heads.get(row["name"])} for row in project.layers] if hardware else [],
        "estimates": made["estimates"],
        "measured": made["measured"],
        "accuracy": recorded(graph),
        "exactness": [],
        "against": None,
        "tools": {"edgeternary": __version__, **_took_part(project.tools), **_tools(made["measured"])},
        "files": made["files"],
    }
    found["figures"] = totals(found)
    return found


def with_measured(
    found: Document,
    measured: Mapping[str, Any],
    counted: Sequence[Mapping[str, Any]],
    exactness: Sequence[Mapping[str, Any]],
    accuracy: Mapping[str, Any] | None,
) -> Document:
    """The document with what was measured after the build: stats of the core, steps, exactness, accuracy."""
    rows = [dict(row) for row in found["steps"]]
    layer_rows = [dict(row) for row in found["layers"]]
    for step, counts in enumerate(counted):
        rows[step] |= counts
    for row in layer_rows:
        own = [r for r in rows if r["layer"] == row["name"] and r.get("cycles") is not None]
        if own:
            row["cycles"] = sum(r["cycles"] for r in own)
    made = {
        **found,
        "steps": rows,
        "layers": layer_rows,
        "measured": {**found["measured"], **measured},
        "exactness": [*found["exactness"], *exactness],
        "accuracy": accuracy or found["accuracy"],
        "tools": {**found["tools"], **{k: v for row in exactness for k, v in _tools(row).items()}},
    }
    return {**made, "figures": totals(made)}


def _model(graph: Graph) -> dict[str, Any]:
    found = sizes(graph)
    return {
        "name": graph.name,
        "summary": graph.meta.info.get("summary", ""),
        "data": graph.meta.info.get("data", ""),
        "digest": digest(graph),
        "inputs": [_value(value) for value in graph.inputs],
        "states": [{**_value(s.value), "next": layer_of(graph).get(s.next, s.next)} for s in graph.states],
        "outputs": [_value(value) for value in graph.output_values],
        **{word: found[word] for word in ("weights", "zero_weights", "packed_bytes", "macs")},
    }


def _value(value: Value) -> dict[str, Any]:
    return {
        "name": value.name,
        "shape": list(value.shape),
        "type": value.type.name,
        "lo": value.lo,
        "hi": value.hi,
    }


def _tools(measured: Mapping[str, Any]) -> dict[str, str]:
    return {word: str(measured[word]) for word in TOOLS if measured.get(word)}


def _took_part(tools: Mapping[str, str]) -> dict[str, str]:
    """Tools without the packages that every build goes through."""
    return {name: version for name, version in tools.items() if name not in ("machine", "python", *PACKAGES)}


def digest(graph: Graph) -> str:
    """SHA-256 of the model's file."""
    return hashlib.sha256(to_bytes(graph)).hexdigest()
