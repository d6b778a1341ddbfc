"""A .tflite file as records. The file is untrusted: whatever is wrong with it ends in one EdgeTernaryError.

The flatbuffer is read through the classes of the package `tflite`, which check nothing. So every length is
compared with the size of the file before anything is allocated or walked, and what they raise on offsets that
leave the file is caught here; after `read_model` nothing of the flatbuffer is touched.
"""

import math
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.tflite.options import OPTIONS
from edgeternary.frontends.tflite.records import Model, Operator, Tensor
from edgeternary.ir.value import MAX_ELEMENTS
from edgeternary.ir.verify import MAX_OPS
from edgeternary.toolchains import extras

MAX_BYTES = 1 << 28
MAX_TENSORS = 1 << 16
MAX_AXES = 6
DTYPES = {"INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1", "FLOAT32": "<f4",
          "BOOL": "<u1"}  # fmt: skip
# what the classes of the package raise on bytes that are no such file
BROKEN = (
    struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, KeyError, MemoryError,
)  # fmt: skip


class _Damaged(ValueError):
    """What does not fit in the file."""


def read_model(path: Path) -> Model:
    """The main graph of the file; EdgeTernaryError (code 1) for what is no whole .tflite file."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise EdgeTernaryError(f"cannot read {path}", str(error), "give the path of a .tflite file") from None
    if size > MAX_BYTES:
        raise EdgeTernaryError(f"{path.name} has {size:,} bytes", f"at most {MAX_BYTES:,} are read")
    return parse(content, path.name)


def parse(content: bytes, name: str) -> Model:
    """The same from the bytes of the file called `name`."""
    with extras.named():
        import tflite
    if content[4:8] != b"TFL3":
        raise EdgeTernaryError(
            f"{name} is no .tflite file",
            "its bytes 5 to 8 are not TFL3",
            "convert the model with the TFLite converter and full-integer quantization",
        )
    try:
        return _model(tflite, tflite.Model.GetRootAs(bytearray(content), 0), len(content))
    except BROKEN as error:
        why = str(error) if isinstance(error, _Damaged) else f"it is damaged ({type(error).__name__})"
        raise EdgeTernaryError(
            f"{name} is no whole .tflite file", why[:200], "copy or convert the model again"
        ) from None


def _require(condition: bool, why: str) -> None:
    if not condition:
        raise _Damaged(why)


def _items(length: int, item: Callable[[int], Any], most: int, what: str) -> list[Any]:
    _require(0 <= length <= most, f"it says that it has {length:,} {what}")
    found = [item(i) for i in range(length)]
    _require(all(x is not None for x in found), f"it lacks some of its {what}")
    return found


def _model(tflite: Any, root: Any, size: int) -> Model:
    room = size // 4  # an offset or an int32 each
    _require(root.SubgraphsLength() >= 1, "it has no graph")
    graph = root.Subgraphs(0)
    buffers = _items(root.BuffersLength(), root.Buffers, room, "buffers")
    codes = _items(root.OperatorCodesLength(), root.OperatorCodes, room, "operator codes")
    tensors = _short_names(
        [
            _tensor(tflite, index, found, buffers, size)
            for index, found in enumerate(
                _items(graph.TensorsLength(), graph.Tensors, min(room, MAX_TENSORS), "tensors")
            )
        ]
    )
    operators = [
        _operator(tflite, index, found, codes, tensors, room)
        for index, found in enumerate(
            _items(graph.OperatorsLength(), graph.Operators, min(room, MAX_OPS), "operators")
        )
    ]
    ends = []
    for length, item, what in (
        (graph.InputsLength(), graph.Inputs, "inputs"),
        (graph.OutputsLength(), graph.Outputs, "outputs"),
    ):
        found = tuple(int(i) for i in _items(length, item, min(room, len(tensors)), what))
        _require(all(0 <= i < len(tensors) for i in found), f"one of its {what} is no tensor")
        ends.append(found)
    return Model(tuple(tensors), tuple(operators), *ends)


def _short_names(tensors: list[Tensor]) -> list[Tensor]:
    """Names up to the first semicolon, where a converter joined those of several layers, if none is equal."""
    heads = [tensor.name.split(";")[0] for tensor in tensors]
    count = Counter(head for head, tensor in zip(heads, tensors, strict=True) if tensor.data is None)
    return [
        replace(tensor, name=head) if tensor.data is None and count[head] == 1 else tensor
        for head, tensor in zip(heads, tensors, strict=True)
    ]


def _tensor(tflite: Any, index: int, t: Any, buffers: list[Any], size: int) -> Tensor:
    name = _text(t.Name()) or f"tensor {index}"
    shape = tuple(int(n) for n in _items(t.ShapeLength(), t.Shape, MAX_AXES, f"axes of {name!r}"))
    count = math.prod(shape)
    fits = all(n >= 0 for n in shape) and count <= MAX_ELEMENTS
    _require(fits, f"tensor {name!r} has the shape {list(shape)}")
    type = _names(tflite.TensorType).get(t.Type(), f"type {t.Type()}")
    q = t.Quantization()
    scales, zeros, axis = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    if q is not None and q.ScaleLength():
        many = q.ScaleLength()
        _require(many <= max(shape, default=1) or many == 1, f"tensor {name!r} has {many:,} scales")
        scales = np.array(_items(many, q.Scale, size // 4, "scales"), np.float32)
        given = _items(q.ZeroPointLength(), q.ZeroPoint, min(many, size // 8), "zero points")
        zeros = np.array(given if len(given) == many else [0] * many, np.int64)
        axis = int(q.QuantizedDimension())
        _require(not given or len(given) == many, f"tensor {name!r} has {len(given)} zero points")
        finite = np.isfinite(scales).all() and (scales >= np.finfo(np.float32).tiny).all()
        _require(bool(finite), f"tensor {name!r} has a scale that is not a normal float32 above 0")
        _require(many == 1 or (0 <= axis < len(shape) and shape[axis] == many), f"axis of {name!r}")
        _require(bool((np.abs(zeros) < 2**31).all()), f"tensor {name!r} has a zero point beyond int32")
    _require(t.Sparsity() is None, f"tensor {name!r} is stored sparsely, which is not read")
    _require(0 <= t.Buffer() < len(buffers), f"tensor {name!r} has no buffer")
    data = _data(buffers[t.Buffer()], type, shape, name, size)
    _require(data is not None or 0 not in shape, f"tensor {name!r} has the shape {list(shape)}")
    return Tensor(index, name, name, shape, type, scales, zeros, axis, data)


def _data(buffer: Any, type: str, shape: tuple[int, ...], name: str, size: int) -> np.ndarray | None:
    """The content of a constant; None where the buffer is empty."""
    external = getattr(buffer, "Offset", lambda: 0)() > 1
    _require(not external, f"the content of {name!r} is outside the flatbuffer, which is not read")
    length = buffer.DataLength()
    if length == 0:
        return None
    _require(length <= size, f"tensor {name!r} says that it has {length:,} bytes")
    raw = bytes(buffer.DataAsNumpy())
    count = math.prod(shape)
    if type == "INT4":
        _require(length == -(-count // 2), f"tensor {name!r} has {length:,} bytes for {count:,} elements")
        return _nibbles(np.frombuffer(raw, np.uint8))[:count].reshape(shape)
    if type not in DTYPES:
        return None
    dtype = np.dtype(DTYPES[type])
    _require(length == count * dtype.itemsize, f"tensor {name!r} has {length:,} bytes for {count:,} elements")
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def _nibbles(packed: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Two's complement of four bits, the low half of a byte first."""
    both = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1).astype(np.int8)
    return np.where(both > 7, both - 16, both).astype(np.int8)


def _operator(
    tflite: Any, index: int, o: Any, codes: list[Any], tensors: list[Tensor], room: int
) -> Operator:
    _require(0 <= o.OpcodeIndex() < len(codes), f"operator {index} has no code")
    code = codes[o.OpcodeIndex()]
    number = max(int(code.BuiltinCode()), int(code.DeprecatedBuiltinCode()))
    type = _names(tflite.BuiltinOperator).get(number, f"operator code {number}")
    if type == "CUSTOM":
        type = f"CUSTOM {_text(code.CustomCode())}"
    inputs = tuple(int(i) for i in _items(o.InputsLength(), o.Inputs, room, "inputs"))
    outputs = tuple(int(i) for i in _items(o.OutputsLength(), o.Outputs, room, "outputs"))
    right = all(-1 <= i < len(tensors) for i in inputs) and all(0 <= i < len(tensors) for i in outputs)
    _require(right and len(outputs) >= 1, f"operator {index} ({type}) reads or makes no tensor of the file")
    options = _options(tflite, o, type)
    return Operator(index, tensors[outputs[0]].name, type, inputs, outputs, options)


def _options(tflite: Any, o: Any, type: str) -> dict[str, float]:
    """Of a type in OPTIONS; the format's defaults where the file gives none."""
    if type not in OPTIONS:
        return {}
    table, fields = OPTIONS[type]
    made = getattr(tflite, table)()
    given = o.BuiltinOptions()
    if given is None:
        _require(o.BuiltinOptionsType() == 0, f"the options of a {type} are missing")
        return {}
    kind = getattr(tflite.BuiltinOptions, table)
    _require(o.BuiltinOptionsType() == kind, f"the options of a {type} are those of another operator")
    made.Init(given.Bytes, given.Pos)
    return {field: getattr(made, field)() for field in fields}


@cache
def _names(enumeration: Any) -> dict[int, str]:
    """The names of an enumeration of the schema, by number."""
    return {number: name for name, number in vars(enumeration).items() if isinstance(number, int)}


def _text(raw: bytes | None) -> str:
    text = (raw or b"")[:1000].decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable())[:150]
