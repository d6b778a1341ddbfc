"""Operators of ONNX and QONNX, each in a small file that the engines of others run too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.frontends.onnx.files import GENERAL, OPSETS, Net, kinds, same

F = np.float32
rng = np.random.default_rng(7)


def weights(*shape: int, bits: int = 4) -> np.ndarray:
    top = 2 ** (bits - 1) - 1
    return rng.integers(-top, top + 1, shape).astype(F) * F(0.25)


def qdq(net: Net, scale: float, zero: int, type: type = np.int8) -> str:
    net.add("QuantizeLinear", scale, np.asarray(zero, type))
    return net.add("DequantizeLinear", scale, np.asarray(zero, type))


def constant(net: Net, codes: np.ndarray, scale: np.ndarray, **more: int) -> str:
    """Integer weights through a DequantizeLinear."""
    top = net.top
    scale = scale.astype(F)
    name = net.add("DequantizeLinear", net._name(codes), net._name(scale), **more)
    net.top = top
    return name


def int8_cnn(net: Net) -> None:
    qdq(net, 0.05, 3)
    w = constant(
        net, rng.integers(-127, 128, (4, 2, 3, 3)).astype(np.int8), rng.uniform(0.01, 0.02, 4), axis=0
    )
    bias = constant(net, rng.integers(-900, 900, 4).astype(np.int32), np.asarray(0.05 * 0.01))
    net.add("Conv", net.top, w, bias, pads=[1, 1, 1, 1])
    net.add("Relu")
    qdq(net, 0.3, -128)
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Flatten")
    w = constant(net, rng.integers(-127, 128, (3, 36)).astype(np.int8), np.asarray(0.01))
    net.add("Gemm", net.top, w, transB=1)
    qdq(net, 0.7, 5)


def few_bits(net: Net) -> None:
    from ml_dtypes import int4

    top = qdq(net, 0.25, 0, np.uint8)
    codes = rng.integers(-8, 8, (4, 2, 2, 2)).astype(int4)
    w = constant(net, codes, rng.uniform(0.1, 0.2, 4), axis=0)
    net.add("Conv", top, w, strides=[2, 1])
    net.add("QuantizeLinear", 1.5, np.asarray(0, int4))
    net.add("DequantizeLinear", 1.5, np.asarray(0, int4))
    net.add("GlobalAveragePool")
    net.add("Flatten")
    net.quant(0.5, 6)


def integer_operators(net: Net) -> None:
    net.add("QuantizeLinear", 0.05, np.asarray(7, np.uint8))
    w = rng.integers(0, 256, (4, 2, 3, 3)).astype(np.uint8)
    w[...] = np.clip(w, 60, 190)
    zeros = np.asarray(128, np.uint8)
    net.add("ConvInteger", w, np.asarray(7, np.uint8), zeros, pads=[1, 0, 1, 0])
    net.add("Cast", to=1)
    net.add("Mul", np.asarray(rng.uniform(1e-3, 2e-3, (1, 4, 1, 1)), F))
    net.add("QuantizeLinear", 0.125, np.asarray(-3, np.int8))
    net.add("Flatten")
    size = 4 * 6 * 4
    net.add("MatMulInteger", rng.integers(-9, 10, (size, 5)).astype(np.int8), np.asarray(-3, np.int8))


def qlinear(net: Net) -> None:
    net.add("QuantizeLinear", 0.05, np.asarray(7, np.uint8))
    w = rng.integers(-50, 51, (4, 2, 3, 3)).astype(np.int8)
    scales = rng.uniform(0.01, 0.02, 4).astype(F)
    net.add(
        "QLinearConv", net.top, F(0.05), np.asarray(7, np.uint8), w, scales, np.zeros(4, np.int8),
        F(0.2), np.asarray(9, np.uint8), rng.integers(-99, 99, 4).astype(np.int32), group=1,
    )  # fmt: skip
    net.add("Flatten")
    net.add(
        "QLinearMatMul", net.top, F(0.2), np.asarray(9, np.uint8),
        rng.integers(-50, 51, (64, 3)).astype(np.int8),
        F(0.03), np.asarray(0, np.int8), F(0.9), np.asarray(100, np.uint8),
    )  # fmt: skip


def thresholds(domain: str) -> Callable[[Net], None]:
    def build(net: Net) -> None:
        net.quant(0.5, 8)
        net.add("Conv", weights(4, 2, 3, 3))
        t = np.sort(rng.integers(-20, 20, (4, 7)), axis=1).astype(F)
        net.add("MultiThreshold", t, domain=domain, out_dtype="INT3", out_scale=0.5, out_bias=-2.0)
        net.add("Conv", weights(3, 4, 1, 1))
        net.add(
            "MultiThreshold",
            np.zeros((1, 1), F),
            domain=domain,
            out_dtype="BIPOLAR",
            out_scale=2.0,
            out_bias=-1.0,
        )
        net.add("Conv", weights(3, 3, 3, 3), pads=[1, 1, 1, 1])

    return build


def trunc(version: int) -> Callable[[Net], None]:
    def build(net: Net) -> None:
        net.opsets = {**OPSETS, GENERAL: version}
        net.quant(0.5, 4, signed=0)
        net.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
        net.add("Mul", 4.0)
        after = (F(2), F(4)) if version == 2 else (F(4),)
        more = {"signed": 0, "narrow": 0} if version == 2 else {}
        net.add("Trunc", F(0.5), F(0), F(6), *after, domain=GENERAL, rounding_mode="FLOOR", **more)
        net.add("Flatten")
        net.add("MatMul", weights(18, 3))

    return build


def rounded(mode: str) -> Callable[[Net], None]:
    def build(net: Net) -> None:
        net.quant(0.25, 5, rounding_mode=mode)
        net.add("Conv", weights(4, 2, 1, 1))
        net.quant(0.75, 3, rounding_mode=mode, narrow=1)
        net.add("Relu")
        net.add("Conv", weights(2, 4, 1, 1))
        net.quant(2.5, 1)

    return build


def bipolar(net: Net) -> None:
    net.add("BipolarQuant", 1.0, domain=GENERAL)
    net.add("Conv", np.sign(weights(4, 2, 3, 3) + F(0.1)), pads=[1, 1, 1, 1])
    net.add("Sub", np.array([1.5, -2.0, 0.0, 1e9], F).reshape(1, 4, 1, 1))
    net.add("Mul", np.array([1.5, -2.0, 0.0, 1.0], F).reshape(1, 4, 1, 1))
    net.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    net.add("Sign")
    net.add("Conv", weights(3, 4, 2, 2))
    net.add("Clip", F(-1.5), F(3.0))
    net.quant(0.125, 8)


def norms(net: Net) -> None:
    net.quant(0.1, 8, zero=3)
    net.add("Conv", weights(6, 2, 3, 3), group=1, dilations=[2, 1])
    gamma = np.array([1.0, -0.7, 0.0, 1e-6, -1e-30, 3.0], F)
    numbers = (
        gamma,
        rng.normal(size=6).astype(F),
        rng.normal(size=6).astype(F),
        rng.uniform(0.1, 2, 6).astype(F),
    )
    net.add("BatchNormalization", *numbers, epsilon=1e-5)
    net.add("LeakyRelu", alpha=0.25)
    net.quant(0.03, 6)
    net.add("AveragePool", kernel_shape=[2, 3], pads=[1, 1, 0, 1], count_include_pad=1)
    net.quant(0.05, 4)
    net.add("Conv", weights(6, 3, 1, 1), group=2)


def joined(net: Net) -> None:
    first = net.quant(0.5, 6)
    left = net.add("Conv", first, weights(4, 2, 3, 3), pads=[1, 1, 1, 1])
    left = net.quant(0.5, 4)
    right = net.add("Conv", first, weights(4, 2, 1, 1))
    right = net.quant(2.0, 4, signed=0)
    total = net.add("Add", left, right)
    net.add("Relu")
    both = net.quant(1.0, 5)
    net.add("Concat", both, left, axis=1)
    net.add("Slice", np.array([2]), np.array([7]), np.array([1]))
    net.add("Conv", weights(3, 5, 1, 1))
    net.add("Sub", net.top, net._name(np.array([1.0, 0.25, -3.0], F).reshape(1, 3, 1, 1)))
    assert total


def last_axis(net: Net) -> None:
    net.shape = (1, 6, 6, 2)
    net.quant(0.5, 8, signed=0)
    net.add("Transpose", perm=[0, 3, 1, 2])
    net.add("Pad", np.array([0, 0, 0, 0, 0, 0, 1, 1]), F(0))
    net.add("Conv", weights(4, 2, 3, 3), strides=[2, 2])
    net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("Mul", np.array([0.5, 1.0, -1.0, 0.1], F))
    net.add("Relu")
    net.quant(0.5, 4, signed=0)
    net.add("Reshape", np.array([1, -1]))
    net.add("MatMul", weights(36, 4))
    net.add("Softmax", axis=-1)


def a_line(net: Net) -> None:
    net.shape = ("samples", 2, 11)
    net.quant(np.array([0.5, 0.25], F).reshape(1, 2, 1), 8)
    net.add("Conv", weights(2, 1, 4), group=2, auto_pad="SAME_UPPER", strides=[2])
    net.quant(0.5, 8)
    net.add("MaxPool", kernel_shape=[2], strides=[2], ceil_mode=1)
    net.add("Unsqueeze", np.array([2]))
    net.add("Squeeze", np.array([2]))
    net.add("ReduceMean", np.array([2]), keepdims=0)
    net.quant(0.25, 4)
    net.add("Gemm", weights(2, 5))
    net.add("ArgMax", axis=1, keepdims=1)


def gated(net: Net) -> None:
    first = net.quant(0.5, 4)
    net.add("HardSigmoid")
    gate = net.quant(1 / 15, 4, signed=0)
    net.add("Mul", first, gate)
    net.quant(0.1, 5)
    net.add("Sigmoid")
    net.quant(1 / 255, 8, signed=0)


def tables(net: Net) -> None:
    net.quant(1.0, 4)
    net.add("Resize", net.top, "", net._name(np.array([1, 1, 2, 3], F)), mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric")  # fmt: skip
    net.add("Add", 8.0)
    index = net.add("Cast", to=7)
    net.add(
        "Gather", net._name(np.array([3, 1, -4, 1, 5, -9, 2, 6, -5, 3, 5, 8, -9, 7, 9, 3], F) * F(0.5)), index
    )
    net.add("Conv", weights(3, 2, 3, 3), strides=[2, 2])


CASES: dict[str, Callable[[Net], None]] = {
    "int8_cnn": int8_cnn, "few_bits": few_bits, "integer_operators": integer_operators, "qlinear": qlinear,
    "bipolar": bipolar, "norms": norms, "joined": joined, "last_axis": last_axis, "a_line": a_line,
    "gated": gated, "tables": tables,
    **{f"thresholds-{d}": thresholds(d) for d in (GENERAL, "onnx.brevitas", "finn.custom_op.general")},
    **{f"trunc{v}": trunc(v) for v in (1, 2)},
    **{m: rounded(m) for m in ("ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_equal(name: str, tmp_path: Path) -> None:
    net = Net(1, 2, 6, 6)
    if name == "integer_operators":
        net.shape = (1, 2, 6, 6)
    CASES[name](net)
    if "thresholds" in name:
        net.opsets = {**net.opsets, "onnx.brevitas": 1, "finn.custom_op.general": 1}
    found = same(net.save(tmp_path))
    assert kinds(found)
