"""An ONNX file, run operator by operator: those of QONNX by the package qonnx, the others by ONNX Runtime.

This is how qonnx itself executes a file, but for sessions that are kept from sample to sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.onnx.file import QONNX, load
from edgeternary.toolchains import extras

Arrays = dict[str, np.ndarray]
GENERAL = "qonnx.custom_op.general"
Watch = Callable[[str, Arrays], None]


class OnnxFile:
    """The operators between the tensors `inputs` and `outputs` of a file, ready to run.

    versions  of the packages that run it
    """

    def __init__(self, path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        load(path)  # checks what the file says before anything else reads it
        with extras.named():
            import onnx
            import onnxruntime
        self.model = onnx.load(str(path))
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        numpy_of = onnx.helper.tensor_dtype_to_np_dtype
        self.types = {i.name: numpy_of(i.type.tensor_type.elem_type) for i in self.model.graph.input}
        self.versions = {"onnxruntime": str(onnxruntime.__version__)}
        self.opsets = {o.domain: o.version for o in self.model.opset_import}
        self.constants: Arrays = {i.name: onnx.numpy_helper.to_array(i) for i in self.model.graph.initializer}
        self._prepared: dict[int, Callable[[Arrays], None]] = {}
        live = set(self.inputs)
        self.nodes: list[Any] = []
        for node in self._needed():
            if live.intersection(node.input):
                live.update(node.output)
                self.nodes.append(node)
            else:
                self._run(node, self.constants)
        self._prepared.clear()

    def _needed(self) -> list[Any]:
        wanted, kept = set(self.outputs), []
        for node in reversed(self.model.graph.node):
            if wanted.intersection(node.output) and not set(node.output).intersection(self.inputs):
                kept.append(node)
                wanted.update(node.input)
        return kept[::-1]

    def run(self, given: Mapping[str, np.ndarray], watch: Watch | None = None) -> Arrays:
        """All tensors by name, for one sample; watch(tensor, tensors) is called after each operator."""
        tensors = {**self.constants, **{n: a.astype(self.types.get(n, a.dtype)) for n, a in given.items()}}
        for node in self.nodes:
            self._run(node, tensors)
            if watch:
                watch(node.output[0], tensors)
        return tensors

    def _run(self, node: Any, tensors: Arrays) -> None:
        try:
            prepared = self._prepared.get(id(node))
            if prepared is None:
                prepared = self._prepared[id(node)] = self._ready(node, tensors)
            prepared(tensors)
        except (EdgeTernaryError, ImportError):
            raise
        except Exception as error:  # qonnx and ONNX Runtime raise whatever does not fit
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise EdgeTernaryError(
                f"the engine cannot run {node.op_type} {node.name[:80]!r}", said, "leave it out of --on"
            ) from error

    def _ready(self, node: Any, tensors: Arrays) -> Callable[[Arrays], None]:
        if node.domain in QONNX:
            return self._custom(node)
        return self._standard(node, {name: tensors[name] for name in node.input if name})

    def _custom(self, node: Any) -> Callable[[Arrays], None]:
        with extras.named():
            import qonnx
            from qonnx.custom_op.registry import getCustomOp
        self.versions["qonnx"] = str(getattr(qonnx, "__version__", "1"))
        version = self.opsets.get(node.domain)
        if node.domain not in ("onnx.brevitas", GENERAL):
            node.domain = GENERAL
        try:
            operator = getCustomOp(node, onnx_opset_version=version)
        except KeyError as error:
            raise EdgeTernaryError(
                f"qonnx has no {node.op_type} for {node.name!r}", str(error)[:200]
            ) from error
        return lambda tensors: operator.execute_node(tensors, self.model.graph)

    def _standard(self, node: Any, tensors: Arrays) -> Callable[[Arrays], None]:
        from onnx import helper

        names = list(tensors)
        types = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), [None] * array.ndim
            )
            for name, array in tensors.items()
        ]
        results = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        graph = helper.make_graph([node], "one", types, results)
        imports = [helper.make_opsetid(d, v) for d, v in self.opsets.items() if d not in QONNX]
        model = helper.make_model(graph, opset_imports=imports, ir_version=min(self.model.ir_version, 10))
        session = _reference(model) if _narrow(tensors.values()) else _session(model)

        def run(tensors: Arrays) -> None:
            found = session.run(None, {name: tensors[name] for name in names})
            tensors.update(zip([name for name in node.output if name], found, strict=True))

        return run


def _narrow(arrays: Iterable[np.ndarray]) -> bool:
    """Whether some are integers of 2 or 4 bits, which ONNX Runtime does not take one by one."""
    return any(array.dtype.kind == "V" for array in arrays)


def _session(model: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _reference(model: Any) -> Any:
    """ONNX's own reference implementation, which has the interface of a session."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model)
