"""The executor onnxruntime: the exported ONNX model in ONNX Runtime, an independent judge."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.export.onnx import tensor_names, to_onnx
from edgeternary.ir import Graph
from edgeternary.ir.ports import join, split
from edgeternary.run.result import Result
from edgeternary.toolchains import extras

CHUNK = 64  # samples at a time, so that the maps of a convolutional net stay small


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape); (samples, steps, *shape) with states, reset for each sample.

    taps  return every layer's value
    EdgeTernaryError with code 3 when onnx or onnxruntime is missing.
    """
    if target:
        raise EdgeTernaryError(
            f"onnxruntime has no target {target[:40]!r}", remedy="use onnxruntime", code=USAGE
        )
    session, version = _session(to_onnx(graph, taps=taps))
    progress = options.get("progress")
    wanted = [op.name for op in graph.ops] if taps else list(graph.outputs)
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, len(inputs), CHUNK):
        parts.append(_chunk(graph, session, wanted, inputs[start : start + CHUNK]))
        if callable(progress):
            progress(min(start + CHUNK, len(inputs)), len(inputs))
    lead = inputs.shape[: 2 if graph.states else 1]
    empty = {name: np.zeros((*lead, *graph.values[name].shape), np.int32) for name in wanted}
    joined = {name: np.concatenate([part[name] for part in parts]) for name in wanted} if parts else empty
    outputs = join(graph.output_values, joined)
    return Result(outputs, joined if taps else {}, {"onnxruntime": version})


def _chunk(graph: Graph, session: Any, wanted: list[str], inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Values of `wanted` for some samples, each (samples, *shape) or (samples, steps, *shape)."""
    names = tensor_names(graph)
    given = {
        names.values[x.name]: split(graph.inputs, inputs)[x.name].astype(x.type.dtype) for x in graph.inputs
    }
    fetched = [names.values[name] for name in wanted]
    if not graph.states:
        return dict(zip(wanted, session.run(fetched, given), strict=True))
    fetched += [names.nexts[s.value.name] for s in graph.states]
    shapes = [(len(inputs), *s.value.shape) for s in graph.states]
    state = [np.broadcast_to(s.init, shape) for s, shape in zip(graph.states, shapes, strict=True)]
    trace: list[list[np.ndarray]] = []
    for step in range(inputs.shape[1]):
        feed = {names.values[s.value.name]: content for s, content in zip(graph.states, state, strict=True)}
        now = {name: codes[:, step] for name, codes in given.items()}
        found = session.run(fetched, now | feed)
        trace.append(found[: len(wanted)])
        state = found[len(wanted) :]
    empty = [np.zeros((len(inputs), 0, *graph.values[name].shape), np.int32) for name in wanted]
    joined = [np.stack(column, axis=1) for column in zip(*trace, strict=True)] if trace else empty
    return dict(zip(wanted, joined, strict=True))


def _session(model: bytes) -> tuple[Any, str]:
    """A single-threaded CPU session, and the version of ONNX Runtime."""
    with extras.named():
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session, str(onnxruntime.__version__)
