"""The calls of CMSIS-NN that TensorFlow Lite Micro makes for an int8 model: the fields of cmsis.c.j2."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.tflite.arithmetic import quantized_multiplier
from edgeternary.frontends.tflite.net import LIMITS, activation, quantized
from edgeternary.frontends.tflite.records import Model, Operator, Tensor
from edgeternary.templating import environment

FUNCTIONS = {
    "conv": "arm_convolve_wrapper_s8",
    "depthwise": "arm_depthwise_conv_wrapper_s8",
    "dense": "arm_fully_connected_s8",
}
LEFT_OFF = ("SOFTMAX",)  # as edgeternary leaves it off
LEFT_SHIFT = 20  # of the operands of ADD

Layer = dict[str, Any]


def source(model: Model, name: str) -> str:
    """C with a function layer_N for each operator, and `run`, which calls them."""
    tensors = {}
    for operator in model.operators:
        for index in (operator.inputs[0], *operator.outputs):
            tensor = model.tensors[index]
            tensors[buffer(model, index)] = {
                "name": buffer(model, index),
                "bytes": int(np.prod(tensor.shape)),
            }
    template = environment().from_string(Path(__file__).with_name("cmsis.c.j2").read_text(encoding="utf-8"))
    fields = {"name": name, "tensors": tensors.values(), "layers": layers(model), "functions": FUNCTIONS}
    return template.render(fields)


def layers(model: Model) -> list[Layer]:
    """Of each operator but reshapes, which move nothing; EdgeTernaryError for one that is not known."""
    found = []
    for operator in model.operators:
        if operator.type == "RESHAPE" or operator.type in LEFT_OFF:
            continue
        if operator.type not in KINDS:
            raise EdgeTernaryError(f"no call is known for {operator.type}", f"there are {', '.join(KINDS)}")
        x, y = model.tensors[operator.inputs[0]], model.tensors[operator.outputs[0]]
        common: Layer = {
            "name": f"{operator.index} {operator.type}", "x": buffer(model, x.index),
            "y": buffer(model, y.index), "zero_x": x.zero, "zero_y": y.zero, "clamp": _clamp(operator, y),
            "shape_x": _four(x), "shape_y": _four(y),
        }  # fmt: skip
        found.append(common | KINDS[operator.type](model, operator, x, y))
    return found


def buffer(model: Model, index: int) -> str:
    """The name of the memory of a tensor; a reshape has that of its input."""
    for operator in model.operators:
        if operator.type == "RESHAPE" and operator.outputs[0] == index:
            return buffer(model, operator.inputs[0])
    return f"tensor_{index}"


def output(model: Model) -> int:
    """The index of the last tensor that is computed."""
    return [operator for operator in model.operators if operator.type not in LEFT_OFF][-1].outputs[0]


def live_bytes(model: Model) -> int:
    """The most bytes of tensors that a layer needs at once, whatever the planner of the memory."""
    left = [operator for operator in model.operators if operator.type not in LEFT_OFF]
    first: dict[int, int] = {}
    last = {output(model): len(left)}
    for step, operator in enumerate(left):
        first.setdefault(operator.outputs[0], step)
        last |= {index: step for index in operator.inputs if model.tensors[index].data is None}
    size = {index: int(np.prod(model.tensors[index].shape)) for index in last}
    moved = {operator.outputs[0] for operator in left if operator.type == "RESHAPE"}
    return max(
        sum(size[i] for i in last if first.get(i, 0) <= step <= last[i] and i not in moved)
        for step in range(len(left))
    )


def _clamp(operator: Operator, y: Tensor) -> tuple[int, int]:
    low, high = LIMITS[activation(operator)] if operator.options else (None, None)
    ends = y.ends
    lo = ends[0] if low is None else max(ends[0], quantized(y, low))
    return lo, ends[1] if high is None else min(ends[1], quantized(y, high))


def _four(tensor: Tensor) -> tuple[int, ...]:
    """(N, H, W, C)."""
    shape = tensor.shape
    return shape if len(shape) == 4 else (1, 1, 1, int(np.prod(shape)))


def _scaled(model: Model, operator: Operator, x: Tensor, y: Tensor, outputs: int) -> Layer:
    w = model.tensors[operator.inputs[1]]
    given = operator.inputs[2] if len(operator.inputs) > 2 else -1
    bias = np.zeros(outputs, np.int32) if given < 0 else model.tensors[given].data
    assert w.data is not None and bias is not None
    factors = (
        np.float64(x.scale) * np.broadcast_to(w.scales, outputs).astype(np.float64) / np.float64(y.scale)
    )
    pairs = [quantized_multiplier(float(factor)) for factor in factors]
    return {
        "weights": w.data.ravel().tolist(), "bias": bias.tolist(), "m": [m for m, _ in pairs],
        "shift": [shift for _, shift in pairs],
    }  # fmt: skip


def _window(operator: Operator, x: Tensor, kernel: tuple[int, int]) -> Layer:
    """Stride and padding as CMSIS-NN has them: (across, down)."""
    step = int(operator.options["StrideH"]), int(operator.options["StrideW"])
    totals = [
        max((-(-size // s) - 1) * s + k - size, 0)
        for size, s, k in zip(x.shape[1:3], step, kernel, strict=True)
    ]
    same = int(operator.options["Padding"]) == 0
    return {"stride": step[::-1], "pad": tuple(total // 2 * same for total in reversed(totals))}


def _conv(model: Model, operator: Operator, x: Tensor, y: Tensor) -> Layer:
    n, ky, kx, c = model.tensors[operator.inputs[1]].shape
    window = _window(operator, x, (ky, kx))
    return {"kind": "conv", "filter": (n, ky, kx, c), **window, **_scaled(model, operator, x, y, n)}


def _depthwise(model: Model, operator: Operator, x: Tensor, y: Tensor) -> Layer:
    _, ky, kx, n = model.tensors[operator.inputs[1]].shape
    found = {"kind": "depthwise", "filter": (1, ky, kx, n), "factor": n // x.shape[3]}
    return {**found, **_window(operator, x, (ky, kx)), **_scaled(model, operator, x, y, n)}


def _dense(model: Model, operator: Operator, x: Tensor, y: Tensor) -> Layer:
    n, inputs = model.tensors[operator.inputs[1]].shape
    return {"kind": "dense", "filter": (inputs, 1, 1, n), **_scaled(model, operator, x, y, n)}


def _average(model: Model, operator: Operator, x: Tensor, y: Tensor) -> Layer:
    kernel = int(operator.options["FilterHeight"]), int(operator.options["FilterWidth"])
    return {"kind": "average", "filter": (1, *kernel, 1), **_window(operator, x, kernel)}


def _add(model: Model, operator: Operator, x: Tensor, y: Tensor) -> Layer:
    other = model.tensors[operator.inputs[1]]
    twice = np.float64(np.float32(2) * max(x.scale, other.scale))
    sides = [
        number for t in (x, other) for number in (-t.zero, *quantized_multiplier(float(t.scale / twice)))
    ]
    after = quantized_multiplier(float(twice / np.float64(np.float32(1 << LEFT_SHIFT) * y.scale)))
    end = (y.zero, *after, *_clamp(operator, y), int(np.prod(y.shape)))
    return {"kind": "add", "other": buffer(model, other.index), "sides": [*sides, LEFT_SHIFT], "end": end}


KINDS: dict[str, Callable[[Model, Operator, Tensor, Tensor], Layer]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _average,
    "ADD": _add,
}
