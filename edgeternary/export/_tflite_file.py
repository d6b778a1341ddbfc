"""Writes a .tflite file through the classes of the package `tflite`: tensors, operators, one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

VERSION = 3  # of the schema
TYPES = {"int8": tflite.TensorType.INT8, "int16": tflite.TensorType.INT16, "int32": tflite.TensorType.INT32,
         "int64": tflite.TensorType.INT64}  # fmt: skip
# operator -> (table of its options, version); operators without options have an empty name
OPERATORS = {
    "CONV_2D": ("Conv2DOptions", 3),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", 3),
    "FULLY_CONNECTED": ("FullyConnectedOptions", 4),
    "MAX_POOL_2D": ("Pool2DOptions", 2),
    "PADV2": ("PadV2Options", 2),
    "QUANTIZE": ("QuantizeOptions", 2),
    "RESHAPE": ("ReshapeOptions", 1),
    "CONCATENATION": ("ConcatenationOptions", 2),
    "SLICE": ("SliceOptions", 2),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", 2),
}


@dataclass(frozen=True)
class Tensor:
    """shape with the batch axis; scale: one, or one for each index of `axis`; data: of a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...] = ()
    zero: int = 0
    axis: int = 0
    data: np.ndarray | None = None


@dataclass(frozen=True)
class _Operator:
    kind: str
    inputs: tuple[int, ...]
    output: int
    options: dict[str, int]


@dataclass
class File:
    """The parts of a file; `tensor` gives the number by which `operator` and `content` name it."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[_Operator] = field(default_factory=list)

    def tensor(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, data: Any, dtype: str = "int32", **more: Any) -> int:
        array = np.asarray(data, dtype)
        return self.tensor(Tensor(name, array.shape, dtype, data=array, **more))

    def operator(self, kind: str, inputs: Sequence[int], output: int, **options: int) -> int:
        self.operators.append(_Operator(kind, tuple(inputs), output, options))
        return output

    def content(self, inputs: Sequence[int], outputs: Sequence[int], description: str) -> bytes:
        """The bytes of the file; the same parts always give the same bytes."""
        b = flatbuffers.Builder(1 << 16)
        constants = [t for t in self.tensors if t.data is not None]
        buffers = [_buffer(b, None), *(_buffer(b, t.data) for t in constants)]
        numbers = iter(range(1, len(buffers)))
        tensors = [_tensor(b, t, 0 if t.data is None else next(numbers)) for t in self.tensors]
        kinds = list(dict.fromkeys(o.kind for o in self.operators))
        operators = [_operator(b, o, kinds.index(o.kind)) for o in self.operators]
        codes = [code(b, kind, OPERATORS[kind][1]) for kind in kinds]
        return assembled(b, (inputs, outputs), (tensors, operators, codes, buffers), description)


def assembled(
    b: Any, ends: tuple[Sequence[int], Sequence[int]], parts: tuple[list[Any], ...], description: str
) -> bytes:
    """The file of one graph. ends: its inputs and outputs; parts: offsets of tensors, operators, operator
    codes and buffers."""
    inputs, outputs = (ints(b, numbers) for numbers in ends)
    tensors, operators, codes, buffers = (offsets(b, part) for part in parts)
    tflite.SubGraphStart(b)
    tflite.SubGraphAddInputs(b, inputs)
    tflite.SubGraphAddOutputs(b, outputs)
    tflite.SubGraphAddTensors(b, tensors)
    tflite.SubGraphAddOperators(b, operators)
    graphs, text = offsets(b, [tflite.SubGraphEnd(b)]), b.CreateString(description)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, VERSION)
    tflite.ModelAddOperatorCodes(b, codes)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddDescription(b, text)
    tflite.ModelAddBuffers(b, buffers)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


def ints(b: Any, numbers: Sequence[int]) -> Any:
    """A vector of int32."""
    return b.CreateNumpyVector(np.asarray(numbers, np.int32))


def offsets(b: Any, entries: Sequence[Any]) -> Any:
    """A vector of offsets."""
    b.StartVector(4, len(entries), 4)
    for offset in reversed(entries):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _buffer(b: Any, data: np.ndarray | None) -> Any:
    content = None
    if data is not None:
        little = data.astype(data.dtype.newbyteorder("<"))
        content = b.CreateNumpyVector(np.frombuffer(little.tobytes(), np.uint8))
    tflite.BufferStart(b)
    if content is not None:
        tflite.BufferAddData(b, content)
    return tflite.BufferEnd(b)


def _tensor(b: Any, tensor: Tensor, buffer: int) -> Any:
    name, shape, quantization = b.CreateString(tensor.name), ints(b, tensor.shape), None
    if tensor.scale:
        scales = b.CreateNumpyVector(np.asarray(tensor.scale, np.float32))
        zeros = b.CreateNumpyVector(np.full(len(tensor.scale), tensor.zero, np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scales)
        tflite.QuantizationParametersAddZeroPoint(b, zeros)
        tflite.QuantizationParametersAddQuantizedDimension(b, tensor.axis)
        quantization = tflite.QuantizationParametersEnd(b)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, TYPES[tensor.dtype])
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, name)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    return tflite.TensorEnd(b)


def _operator(b: Any, operator: _Operator, code: int) -> Any:
    table = OPERATORS[operator.kind][0]
    getattr(tflite, f"{table}Start")(b)
    for name, number in operator.options.items():
        getattr(tflite, f"{table}Add{name}")(b, number)
    options = getattr(tflite, f"{table}End")(b)
    inputs, outputs = ints(b, operator.inputs), ints(b, [operator.output])
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, table))
    tflite.OperatorAddBuiltinOptions(b, options)
    return tflite.OperatorEnd(b)


def code(b: Any, kind: str, version: int = 1) -> Any:
    """The entry of the table of operator codes for `kind`."""
    number = getattr(tflite.BuiltinOperator, kind)
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(number, 127))
    tflite.OperatorCodeAddBuiltinCode(b, number)
    tflite.OperatorCodeAddVersion(b, version)
    return tflite.OperatorCodeEnd(b)
