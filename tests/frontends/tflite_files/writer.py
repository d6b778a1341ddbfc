"""Small .tflite files for tests, written through the builder functions of the package `tflite`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from edgeternary.export._tflite_file import assembled, code, ints
from edgeternary.frontends.tflite.options import OPTIONS

# options that take the name of an enumeration's member
NAMED = {"Padding": tflite.Padding, "FusedActivationFunction": tflite.ActivationFunctionType}
EXTRA = {"RESHAPE": "ReshapeOptions", "SQUEEZE": "SqueezeOptions", "PAD": "PadOptions",
         "PADV2": "PadV2Options",
         "TRANSPOSE": "TransposeOptions", "SLICE": "SliceOptions", "SOFTMAX": "SoftmaxOptions",
         "QUANTIZE": "QuantizeOptions", "DEQUANTIZE": "DequantizeOptions", "ABS": "AbsOptions",
         "HARD_SWISH": "HardSwishOptions", "EXPAND_DIMS": "ExpandDimsOptions"}  # fmt: skip


@dataclass
class Writer:
    """A file with one graph. `tensor` and `constant` give indices, which `operator` and `file` take."""

    tensors: list[dict[str, Any]] = field(default_factory=list)
    operators: list[dict[str, Any]] = field(default_factory=list)

    def tensor(
        self,
        shape: Sequence[int],
        type: str = "INT8",
        scale: Any = (),
        zero: Any = 0,
        axis: int = 0,
        data: np.ndarray | None = None,
    ) -> int:
        """scale: one number, or one for each index of `axis`; zero likewise."""
        scales = np.atleast_1d(np.asarray(scale, np.float32))
        zeros = np.broadcast_to(np.asarray(zero, np.int64), scales.shape)
        self.tensors.append(
            {
                "shape": tuple(shape),
                "type": type,
                "scales": scales,
                "zeros": zeros,
                "axis": axis,
                "data": data,
            }
        )
        return len(self.tensors) - 1

    def constant(self, data: Any, type: str = "INT32", scale: Any = (), zero: Any = 0, axis: int = 0) -> int:
        array = np.asarray(data)
        return self.tensor(array.shape, type, scale, zero, axis, array)

    def operator(self, type: str, inputs: Sequence[int], output: int | Sequence[int], **options: Any) -> None:
        outputs = [output] if isinstance(output, int) else list(output)
        self.operators.append({"type": type, "inputs": inputs, "outputs": outputs, "options": options})

    def file(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The bytes of the file."""
        b = flatbuffers.Builder(1 << 16)
        buffers = [_buffer(b, None)] + [_buffer(b, t) for t in self.tensors if t["data"] is not None]
        numbers = iter(range(1, len(buffers)))
        tensors = [
            _tensor(b, i, t, next(numbers) if t["data"] is not None else 0)
            for i, t in enumerate(self.tensors)
        ]
        types = list(dict.fromkeys(o["type"] for o in self.operators))
        operators = [_operator(b, o, types.index(o["type"])) for o in self.operators]
        codes = [code(b, type) for type in types]
        return assembled(b, (inputs, outputs), (tensors, operators, codes, buffers), "")


def _buffer(b: Any, tensor: dict[str, Any] | None) -> Any:
    data = None
    if tensor is not None:
        dtypes = {"INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FLOAT32": "<f4"}
        raw = tensor["data"]
        if tensor["type"] == "INT4":
            flat = np.append(raw.reshape(-1), [0] * (raw.size % 2)).astype(np.uint8) & 15
            packed = flat[::2] | flat[1::2] << 4
        else:
            packed = np.frombuffer(raw.astype(dtypes[tensor["type"]]).tobytes(), np.uint8)
        data = b.CreateNumpyVector(packed)
    tflite.BufferStart(b)
    if data is not None:
        tflite.BufferAddData(b, data)
    return tflite.BufferEnd(b)


def _tensor(b: Any, index: int, t: dict[str, Any], buffer: int) -> Any:
    name, shape, quantization = b.CreateString(f"t{index}"), ints(b, t["shape"]), None
    if t["scales"].size:
        scales, zeros = b.CreateNumpyVector(t["scales"]), b.CreateNumpyVector(t["zeros"].copy())
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scales)
        tflite.QuantizationParametersAddZeroPoint(b, zeros)
        tflite.QuantizationParametersAddQuantizedDimension(b, t["axis"])
        quantization = tflite.QuantizationParametersEnd(b)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, getattr(tflite.TensorType, t["type"]))
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, name)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    return tflite.TensorEnd(b)


def _operator(b: Any, o: dict[str, Any], code: int) -> Any:
    table = OPTIONS[o["type"]][0] if o["type"] in OPTIONS else EXTRA.get(o["type"])
    options = None
    if table is not None:
        getattr(tflite, f"{table}Start")(b)
        for name, value in o["options"].items():
            number = getattr(NAMED[name], value) if isinstance(value, str) else value
            getattr(tflite, f"{table}Add{name}")(b, number)
        options = getattr(tflite, f"{table}End")(b)
    inputs, outputs = ints(b, o["inputs"]), ints(b, o["outputs"])
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    if table is not None:
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, table))
        tflite.OperatorAddBuiltinOptions(b, options)
    return tflite.OperatorEnd(b)
