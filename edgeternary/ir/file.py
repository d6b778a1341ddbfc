"""`.et` files: a safetensors container whose only metadata key, `edgeternary`, holds canonical JSON.

Codes are stored as bit planes (`edgeternary.ir.encoding`) of the flattened array, other arrays as the
narrowest signed integers that hold them. The same graph always gives the same bytes.

Reading one is reading untrusted input: the header is parsed by safetensors (no code runs), the JSON
against the field types of each op, and each array's size is checked before it is read; then the graph
verifies itself. Everything that is wrong ends in an EdgeTernaryError.
"""

import math
import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import safetensors
import safetensors.numpy

from edgeternary import late
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.encoding import pack, unpack, words
from edgeternary.ir.graph import Graph
from edgeternary.ir.meta import Meta
from edgeternary.ir.op import REGISTRY, Op
from edgeternary.ir.types import parse
from edgeternary.ir.value import MAX_ELEMENTS, State, Value

FORMAT = 1
SEVERAL = 2  # the format version of a graph with several inputs or outputs
KEY = "edgeternary"
MAX_FILE_BYTES = 2**28
MAX_JSON_BYTES = 2**22
STORED = {"I8": "int8", "I16": "int16", "I32": "int32", "U8": "uint8", "U32": "uint32"}


class ValueRecord(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    shape: tuple[int, ...]
    type: str
    lo: int
    hi: int


class ArrayRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where an array is; `type` and `shape` only for codes stored as bit planes."""

    tensor: str
    type: str = ""
    shape: tuple[int, ...] = ()


class StateRecord(msgspec.Struct, forbid_unknown_fields=True):
    value: ValueRecord
    init: ArrayRecord
    next: str


class ModelRecord(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    name: str
    input: ValueRecord
    ops: list[dict[str, Any]]
    output: str
    states: list[StateRecord]
    meta: Meta


class SeveralRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The same with several inputs or outputs."""

    format: int
    name: str
    inputs: list[ValueRecord]
    ops: list[dict[str, Any]]
    outputs: list[str]
    states: list[StateRecord]
    meta: Meta


class TensorSource(Protocol):
    """The part of a safetensors file object that reading needs."""

    def keys(self) -> list[str]: ...
    def get_slice(self, name: str) -> Any: ...
    def get_tensor(self, name: str) -> Any: ...


def to_bytes(graph: Graph) -> bytes:
    """The `.et` form of `graph`."""
    tensors: dict[str, np.ndarray] = {}

    def store(key: str, array: np.ndarray, type: str = "") -> ArrayRecord:
        if type:
            tensors[key] = pack(array.reshape(-1), parse(type)).astype("<u4")
            return ArrayRecord(key, type, array.shape)
        if array.dtype != np.uint8:
            lo, hi = int(array.min(initial=0)), int(array.max(initial=0))
            fits = [d for d in ("int8", "int16", "int32") if np.iinfo(d).min <= lo and hi <= np.iinfo(d).max]
            array = array.astype(np.dtype(fits[0]).newbyteorder("<"))
        tensors[key] = np.ascontiguousarray(array)
        return ArrayRecord(key)

    ops: list[dict[str, Any]] = []
    for index, op in enumerate(graph.ops):
        record: dict[str, Any] = {"kind": op.kind}
        for field in op.__struct_fields__:
            content = getattr(op, field)
            if isinstance(content, np.ndarray):
                type = getattr(op, op.packed[field]) if field in op.packed else ""
                content = store(f"{index}.{field}", content, type)
            record[field] = content
        ops.append(record)
    states = [
        StateRecord(_value_record(s.value), store(f"state{i}", s.init), s.next)
        for i, s in enumerate(graph.states)
    ]
    model: ModelRecord | SeveralRecord
    inputs, outputs, name, meta = (
        [_value_record(value) for value in graph.inputs],
        graph.outputs,
        graph.name,
        graph.meta,
    )
    if graph.several:
        model = SeveralRecord(SEVERAL, name, inputs, ops, list(outputs), states, meta)
    else:
        model = ModelRecord(FORMAT, name, inputs[0], ops, outputs[0], states, meta)
    text = msgspec.json.encode(model, order="sorted").decode()
    return safetensors.numpy.save(tensors, metadata={KEY: text})


def save(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write `graph` to `path`, whole or not at all."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(to_bytes(graph))
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> Graph:
    """Read a `.et` file; EdgeTernaryError when it is missing, damaged, hostile or of another version."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise OSError("not a regular file")
        if size > MAX_FILE_BYTES:
            raise EdgeTernaryError(
                f"{path.name} has {size:,} bytes", f"a model has at most {MAX_FILE_BYTES:,}"
            )
        with safetensors.safe_open(path, framework="numpy") as source:
            return _read(source, source.metadata() or {})
    except EdgeTernaryError as error:
        raise EdgeTernaryError(
            f"{path.name} is not a valid model: {error.what}", error.why, error.remedy
        ) from error
    except OSError as error:
        raise EdgeTernaryError(
            f"cannot read {path}", error.strerror or str(error), "check the path"
        ) from error
    except (
        safetensors.SafetensorError,
        msgspec.MsgspecError,
        RecursionError,
        ValueError,
        OverflowError,
    ) as error:
        raise EdgeTernaryError(
            f"{path.name} is not a valid model",
            str(error)[:300],
            "it is damaged or was not written by edgeternary: export it again",
        ) from error


def _read(source: TensorSource, metadata: dict[str, str]) -> Graph:
    if set(metadata) != {KEY}:
        raise EdgeTernaryError(f"no single metadata key {KEY!r}", f"it has {sorted(metadata)[:5]}")
    text = metadata[KEY]
    if len(text) > MAX_JSON_BYTES:
        raise EdgeTernaryError("its description is too long", f"{len(text):,} characters")
    version = msgspec.json.decode(text, type=dict).get("format")
    if type(version) is not int or version not in (FORMAT, SEVERAL):
        raise EdgeTernaryError(
            f"its format version is {version!r}"[:80],
            f"this release reads versions {FORMAT} and {SEVERAL}",
            "install a newer edgeternary or export the model again",
        )
    if version == FORMAT:
        one = msgspec.json.decode(text, type=ModelRecord)
        model = SeveralRecord(version, one.name, [one.input], one.ops, [one.output], one.states, one.meta)
    else:
        model = msgspec.json.decode(text, type=SeveralRecord)
        if len(model.inputs) < 2 and len(model.outputs) < 2:
            raise EdgeTernaryError(
                f"its format version is {SEVERAL}",
                f"it has one input and one output, which is version {FORMAT}",
                "export the model again",
            )
    reader = _Reader(source)
    ops = tuple(_op(record, reader) for record in model.ops)
    states = tuple(State(_value(s.value), reader.array(s.init), s.next) for s in model.states)
    unused = set(source.keys()) - reader.used
    if unused:
        raise EdgeTernaryError(f"it holds tensors that no layer uses: {sorted(unused)[:5]}")
    return Graph(model.name, [_value(v) for v in model.inputs], ops, model.outputs, states, model.meta)


class _Reader:
    """Reads each tensor at most once, after checking its dtype and size."""

    def __init__(self, source: TensorSource) -> None:
        self.source = source
        self.names = set(source.keys())
        self.used: set[str] = set()

    def array(self, record: ArrayRecord) -> np.ndarray:
        key = record.tensor
        if key not in self.names or key in self.used:
            raise EdgeTernaryError(f"tensor {key[:40]!r} is missing or used twice")
        self.used.add(key)
        header = self.source.get_slice(key)
        dtype, shape = STORED.get(header.get_dtype()), tuple(header.get_shape())
        if dtype is None or math.prod(shape) > MAX_ELEMENTS or len(shape) > 4:
            raise EdgeTernaryError(f"tensor {key[:40]!r} is {header.get_dtype()} of shape {shape}")
        if not record.type:
            if dtype == "uint32":
                raise EdgeTernaryError(f"tensor {key[:40]!r} is packed, its layer says it is not")
            array = np.asarray(self.source.get_tensor(key))
            return array if dtype == "uint8" else array.astype(np.int32)
        type, count = parse(record.type), math.prod(record.shape)
        if len(record.shape) > 4 or any(n < 1 for n in record.shape) or count > MAX_ELEMENTS:
            raise EdgeTernaryError(f"tensor {key[:40]!r} has the shape {record.shape[:6]}")
        if dtype != "uint32" or type.planes > 8 or shape != (type.planes, words(count)):
            raise EdgeTernaryError(
                f"tensor {key[:40]!r} is {dtype} of shape {shape}, {record.type} needs other planes"
            )
        packed = np.asarray(self.source.get_tensor(key))
        if count % 32 and np.any(packed[:, -1] >> np.uint32(count % 32)):
            raise EdgeTernaryError(f"tensor {key[:40]!r} has bits set after its last element")
        return unpack(packed, type, count).astype(np.int8).reshape(record.shape)


def _op(record: dict[str, Any], reader: _Reader) -> Op:
    late.register_ops()
    record = dict(record)
    kind = record.pop("kind", None)
    cls = REGISTRY.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise EdgeTernaryError(
            f"unknown kind of layer {str(kind)[:40]!r}", f"known are {', '.join(sorted(REGISTRY))}"
        )
    unknown = set(record) - set(cls.__struct_fields__)
    if unknown:
        raise EdgeTernaryError(f"a {kind} layer has the unknown fields {sorted(unknown)[:5]}")

    for field, type_field in cls.packed.items():
        array = record.get(field)
        if isinstance(array, dict) and array.get("type") != record.get(type_field):
            raise EdgeTernaryError(f"{field} of a {kind} layer are not stored as its {type_field} says")

    def hook(type: Any, content: Any) -> Any:
        if type is np.ndarray:
            return reader.array(msgspec.convert(content, ArrayRecord))
        raise NotImplementedError(type)

    return msgspec.convert(record, cls, dec_hook=hook)


def _value_record(value: Value) -> ValueRecord:
    return ValueRecord(value.name, value.shape, value.type.name, value.lo, value.hi)


def _value(record: ValueRecord) -> Value:
    return Value(record.name, record.shape, parse(record.type), record.lo, record.hi)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
