"""A small network, quantised by ONNX Runtime to int8: the files in tests/data/onnx.

python benchmarks/onnx_nets.py tests/data/onnx    # needs onnx and onnxruntime
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SHAPE = (1, 3, 12, 12)
KINDS = {"QDQ": (QuantFormat.QDQ, QuantType.QInt8), "QOperator": (QuantFormat.QOperator, QuantType.QUInt8)}


class Samples(CalibrationDataReader):
    def __init__(self, rng: np.random.Generator) -> None:
        self.samples = iter([{"x": rng.normal(size=SHAPE).astype(np.float32)} for _ in range(20)])

    def get_next(self) -> Any:
        return next(self.samples, None)


def network(rng: np.random.Generator) -> Any:
    """Convolution, pool, depthwise and pointwise convolutions, mean, and a layer of classes, in float."""
    constants: list[Any] = []

    def constant(*shape: int) -> str:
        array = rng.normal(size=shape).astype(np.float32) * np.float32(0.3)
        constants.append(numpy_helper.from_array(array, f"c{len(constants)}"))
        return str(constants[-1].name)

    nodes = [
        helper.make_node("Conv", ["x", constant(8, 3, 3, 3), constant(8)], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["c", constant(8, 1, 3, 3), constant(8)], ["d"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Conv", ["e", constant(8, 8, 1, 1), constant(8)], ["f"]),
        helper.make_node("GlobalAveragePool", ["f"], ["g"]),
        helper.make_node("Flatten", ["g"], ["h"]),
        helper.make_node("Gemm", ["h", constant(8, 5), constant(5)], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5))
    graph = helper.make_graph(nodes, "net", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    folder, rng = Path(sys.argv[1]), np.random.default_rng(0)
    model = onnx.shape_inference.infer_shapes(network(rng))
    for name, (form, kind) in KINDS.items():
        for per_channel in (False, True):
            path = folder / f"ort_{name}_{int(per_channel)}.onnx"
            more = {"quant_format": form, "activation_type": kind, "weight_type": QuantType.QInt8}
            quantize_static(model, path, Samples(rng), per_channel=per_channel, **more)
            print(path, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
