"""qonnx, the package that defines the format, runs what is exported: every op, the same integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.export.qonnx import to_qonnx
from edgeternary.ir import Graph, Meta
from edgeternary.ops import Threshold
from edgeternary.run import run
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, kinds, named_inputs, tiny_mlp
from tests.registry.several import two_heads

onnx = pytest.importorskip("onnx", exc_type=ImportError)
pytest.importorskip("qonnx", exc_type=ImportError)
pytestmark = pytest.mark.filterwarnings("ignore")
NO_FORM = {"compare", "gather", "group_count", "log_mel", "lut", "rms_norm", "shift"}


def channels_first(array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 else array


def answers(model: bytes, codes: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The float outputs of a QONNX model for the codes of one sample, by input."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapped = ModelWrapper(onnx.load_from_string(model)).transform(InferShapes())
    feed = {
        port.name: channels_first(array.astype(np.float32))
        for port, array in zip(wrapped.graph.input, codes.values(), strict=True)
    }
    found = execute_onnx(wrapped, feed)
    return [found[port.name] for port in wrapped.graph.output]


def judge(graph: Graph, samples: int = 1) -> None:
    model, codes = to_qonnx(graph), named_inputs(graph, samples)
    for k in range(samples):
        one = {name: array[k : k + 1] for name, array in codes.items()}
        found = run(graph, one).outputs
        named = found if isinstance(found, dict) else {graph.output: found}
        for theirs, (name, ours) in zip(answers(model, one), named.items(), strict=True):
            logits = graph.meta.of_output(name).logits(ours).astype(np.float32)
            np.testing.assert_array_equal(theirs, channels_first(logits))


@pytest.mark.parametrize("kind", kinds())
def test_every_example(kind: str) -> None:
    """Those that have no exact form are refused by layer; each kind but three has some that do."""
    made = 0
    for graph in chosen(kind, 0):
        try:
            judge(graph)
        except EdgeTernaryError as error:
            assert "cannot be written as QONNX" in error.what
        else:
            made += 1
    assert (made > 0) == (kind not in NO_FORM)


@pytest.mark.parametrize("make", [*WHOLE, two_heads])
def test_whole_models(make: Callable[[], Graph]) -> None:
    judge(make(), 2)


@pytest.mark.parametrize("make", STATEFUL)
def test_states_are_refused(make: Callable[[], Graph]) -> None:
    with pytest.raises(EdgeTernaryError, match="keeps states between steps"):
        to_qonnx(make())


def test_logits_and_the_same_bytes() -> None:
    graph = tiny_mlp()
    classes = graph.output_value.channels
    meta = Meta(logit_scale=tuple(2.0**-k for k in range(classes)), logit_zero=3, logit_offset=-0.5)
    judge(replace(graph, meta=meta), 2)
    assert to_qonnx(graph) == to_qonnx(graph)


def test_a_threshold_that_is_one_off_is_seen() -> None:
    graph = tiny_mlp()
    acts = [op for op in graph.ops if isinstance(op, Threshold)]
    wrong = [replace_t(op) if op is acts[0] else op for op in graph.ops]
    codes = inputs(graph, 40, 0)
    model = to_qonnx(graph.with_ops(wrong))
    theirs = np.concatenate([answers(model, {"x": codes[k : k + 1]})[0] for k in range(40)])
    assert not np.array_equal(theirs, graph.meta.of_output(graph.output).logits(run(graph, codes).outputs))


def replace_t(op: Threshold) -> Threshold:
    fields = {name: getattr(op, name) for name in op.__struct_fields__}
    return Threshold(**{**fields, "t": np.maximum(op.t - 1, op.t.min())})
