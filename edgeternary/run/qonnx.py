"""Executor qonnx: the original ONNX or QONNX file, run by the packages qonnx and ONNX Runtime.

options["original"]  the file that the graph was imported from. The graph gives names, shapes and the scales
of its ends, never a number in between.

An engine sums in float32, so where a sum lies at a rounding boundary its code may be the neighbour of the
exact one. A sample whose output differs is run again: at each quantiser that differs, the code of the engine
must lie within its own rounding error of the accumulator (`run._onnx_ties`); then the exact code goes on from
there, and the rest of the sample is judged as well. What is no such tie is answered as the engine has it.
"""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ir.ports import join, joined_shape, split
from edgeternary.run._onnx_file import OnnxFile
from edgeternary.run._onnx_ports import floats, names, steps
from edgeternary.run._onnx_ties import Ties
from edgeternary.run.result import Result, Stat
from edgeternary.toolchains import extras

CLOSE = 0.01  # of an integer


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run the file on codes (samples, *shape) and give the graph's integers.

    options  original (a path), progress
    stats    the versions; ties: samples that rounding alone sets apart; farthest: the farthest of these ties
    EdgeTernaryError with code 3 where onnx, onnxruntime or (for QONNX operators) qonnx is missing.
    """
    with extras.named():
        importlib.import_module("onnx")
    path = _path(options)
    file = OnnxFile(path, names(graph, "onnx_inputs"), names(graph, "onnx_outputs"))
    progress = options.get("progress")
    expected = joined(graph, graph.run(inputs).outputs)
    outputs = np.zeros((len(inputs), *joined_shape(graph.output_values)), np.int32)
    ties: Ties | None = None
    for i, codes in enumerate(inputs):
        given = {name: floats(graph, value, part) for name, value, part in _ports(graph, codes, file)}
        tensors = file.run(given)
        found = {n: steps(graph, n, tensors[t]) for n, t in zip(graph.outputs, file.outputs, strict=True)}
        whole = {n: np.rint(a).clip(-(2**31), 2**31 - 1).astype(np.int32)[None] for n, a in found.items()}
        outputs[i] = join(graph.output_values, whole)[0]
        close = all(np.all(np.abs(a - whole[n]) < CLOSE) for n, a in found.items())
        if not close or not np.array_equal(outputs[i], expected[i]):
            ties = ties or Ties(graph, path)
            if ties.settle(file, given, codes, i):
                outputs[i] = expected[i]
        if callable(progress):
            progress(i + 1, len(inputs))
    stats: dict[str, Stat] = {**file.versions, "ties": len(ties.samples) if ties else 0}
    if ties and ties.found:
        stats["farthest"] = str(max(ties.found, key=lambda tie: tie.distance))
    return Result(outputs=outputs, stats=stats)


def _path(options: Mapping[str, object]) -> Path:
    original = options.get("original")
    if not isinstance(original, str | os.PathLike):
        raise EdgeTernaryError(
            "the executor qonnx runs the original file",
            "no option says which file that is",
            'pass it: options={"original": "model.onnx"}',
            USAGE,
        )
    return Path(original)


def joined(graph: Graph, outputs: Any) -> np.ndarray:
    """Outputs of a run as one array."""
    return join(graph.output_values, outputs) if isinstance(outputs, Mapping) else outputs


def _ports(graph: Graph, codes: np.ndarray, file: OnnxFile) -> list[tuple[str, Value, np.ndarray]]:
    parts = split(graph.inputs, codes[None])
    return [(n, v, parts[v.name][0]) for n, v in zip(file.inputs, graph.inputs, strict=True)]
