"""Assembles an ONNX graph node by node; tensors are int32 unless their maker says otherwise."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INT8, UINT8, INT32, INT64 = TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64


class Builder:
    """Collects nodes and constants. Tensor names are the layer's identifier, then `.1`, `.2` inside a layer.

    `layer` is set by the caller before each layer: the prefix of what follows.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.layer = ""
        self._count = 0

    def start(self, layer: str) -> None:
        """Begin the layer with the tensor prefix `layer`."""
        self.layer, self._count = layer, 0

    def const(self, content: Any, dtype: str = "int32") -> str:
        """An initializer; returns its tensor name."""
        name = self._name()
        self.constants.append(numpy_helper.from_array(np.asarray(content, dtype), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output; returns that tensor's name."""
        name = self._name()
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def finish(self, tensor: str, name: str, doc: str) -> None:
        """Call `tensor`, the last of a layer, `name`; `doc` is the layer's own name, for people."""
        self.nodes.append(helper.make_node("Identity", [tensor], [name], name=name, doc_string=doc))

    def cast(self, tensor: str, to: int) -> str:
        return self.add("Cast", tensor, to=to)

    def pad(self, tensor: str, pad: Sequence[int], value: str) -> str:
        """Pad axes 1 and 2 of (N, H, W, C) by (top, left, bottom, right) with the scalar constant `value`."""
        if not any(pad):
            return tensor
        top, left, bottom, right = pad
        return self.add("Pad", tensor, self.const([0, top, left, 0, 0, bottom, right, 0], "int64"), value)

    def window(self, tensor: str, axis: int, start: int, count: int, stride: int) -> str:
        """Elements start, start + stride, ... (`count` of them) along `axis`."""
        bounds = ([start], [start + (count - 1) * stride + 1], [axis], [stride])
        return self.add("Slice", tensor, *(self.const(bound, "int64") for bound in bounds))

    def fold(self, tensor: str, axis: int, kernel: int, count: int, stride: int, join: str) -> str:
        """`join` (Add, Max or Min) of the `kernel` elements of each window along `axis`."""
        parts = [self.window(tensor, axis, k, count, stride) for k in range(kernel)]
        return self.chain(join, parts)

    def chain(self, join: str, parts: Sequence[str]) -> str:
        """((part0 join part1) join part2) ..."""
        total = parts[0]
        for part in parts[1:]:
            total = self.add(join, total, part)
        return total

    def floor_divide(self, tensor: str, divisor: str) -> str:
        """floor(v / d) of int64, d > 0: v - (v mod d) is a multiple of d, so Div cannot round.

        ONNX's integer Mod has the sign of the divisor; its Div truncates, and BitShift takes unsigned alone.
        """
        rest = self.add("Mod", tensor, divisor)
        return self.add("Div", self.add("Sub", tensor, rest), divisor)

    def _name(self) -> str:
        self._count += 1
        return f"{self.layer}.{self._count}"


Lower = Callable[..., str]
