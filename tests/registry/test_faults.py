"""The test of the tests: faults planted in C, hardware, packing and numpy make the comparisons fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

import edgeternary
import edgeternary.run._model as model_of
from edgeternary.c.rescale import forms as rescale
from edgeternary.cores import Core
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Type, Value, encoding
from edgeternary.ops import Argmax, Conv2d, Dense, Lookup, MaxPool, Requantize, SumPool, Threshold
from edgeternary.run import run
from tests.need import need
from tests.registry.faults import faulty_c
from tests.registry.fleet import Fleet
from tests.registry.graphs import chosen, inputs, leaky, tiny_mlp
from tests.registry.test_hdl import REFUSED, agrees, case

# what: (kind of op, pattern in the generated C, what stands there instead)
IN_C = {
    "> for >=": ("threshold", r"raw >= ", "raw > "),
    "first bit last": ("dense", r"for \(int i = count - 1; i >= 0; i--\)", "for (int i = 0; i < count; i++)"),
    "narrow accumulator": ("dense", r"\*y\+\+ = raw ", "*y++ = (int16_t)raw "),
    "wrong pad": ("conv2d", r"(inside \? [^;]* : )-?\d+;", r"\g<1>2;"),
    "division for a shift": ("requantize", r">> (\w+_s\[o\])", r"/ (1 << \1)"),
    "later of equals": ("argmax", r"x\[i\] > x\[best\]", "x[i] >= x[best]"),
    "maximum for minimum": ("max_pool", r"v < best", "v > best"),
    "state half reset": ("state", r"(_reset\(\w+ \*net\)\n\{\s+for \(int i = 0; i < )\d+", r"\g<1>1"),
}  # fmt: skip


def examples(kind: str) -> list[Graph]:
    return [leaky()] if kind == "state" else chosen(kind)


@pytest.mark.parametrize("fault", IN_C)
def test_in_c(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|gcc|clang")
    kind, pattern, new = IN_C[fault]
    Fleet.of(examples(kind)).check("host", opt_level="1")
    planted: list[str] = []
    monkeypatch.setattr(model_of, "render", faulty_c(model_of.render, pattern, new, planted))
    with pytest.raises(AssertionError, match="host differs from numpy"):
        Fleet.of(examples(kind)).check("host", opt_level="1")
    assert planted, f"the fault cannot be planted: no C of {kind} matches {pattern}"


def test_in_c_a_rounding_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|gcc|clang")

    rescaling = rescale.rescaling

    def broken(op: Requantize, x: Value, out: Value, core: Core) -> object:
        return rescaling(replace(op, rounding=rounded_down(op)), x, out, core)

    monkeypatch.setattr(rescale, "rescaling", broken)
    with pytest.raises(AssertionError, match="host differs from numpy"):
        Fleet.of(chosen("requantize")).check("host", opt_level="1")


@pytest.mark.emulator
def test_in_c_on_a_cortex_m(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    kind, pattern, new = IN_C["> for >="]
    monkeypatch.setattr(model_of, "render", faulty_c(model_of.render, pattern, new, []))
    with pytest.raises(AssertionError, match="cortex-m0plus differs from numpy"):
        Fleet.of(examples(kind)).check("cortex-m0plus")


Wrap = Callable[..., Any]  # called with the right function and its arguments


def changed(**fields: Callable[[Any], Any]) -> Wrap:
    """A fault: the method of the same op with other fields, each computed from the op."""

    def fault(right: Callable[..., np.ndarray], op: Any, x: np.ndarray) -> np.ndarray:
        return right(replace(op, **{name: change(op) for name, change in fields.items()}), x)

    return fault


def rounded_down(op: Requantize) -> str:
    return "floor" if op.rounding == "tflite_single" else op.rounding


def ready_ignored(right: Wrap, m: Any, part: Any, *given: Any) -> None:
    from amaranth import Const

    deaf = SimpleNamespace(valid=part.o.valid, payload=part.o.payload, ready=Const(1))
    right(m, SimpleNamespace(i=part.i, o=deaf, after=part.after, place=part.place), *given)


def one_more(right: Wrap, part: Any, thresholds: Any, *given: Any, **more: Any) -> None:
    right(part, [[t + 1 for t in row] for row in thresholds], *given, **more)


def padded_wrong(right: Wrap, part: Any, b: Any, op: Conv2d, ins: Any) -> Any:
    return right(part, b, replace(op, pad_value=1), ins)


def bits_reversed(right: Wrap, m: Any, words: Any, width: int, *given: Any) -> Any:
    return right(m, [int(f"{word:0{width}b}"[::-1], 2) for word in words], width, *given)


def never_fresh(right: Wrap, part: Any, fresh: Any, *given: Any) -> Any:
    from amaranth import Const

    return right(part, Const(0, 1), *given)


def constants_rounded_down(right: Wrap, ops: Any) -> Any:
    return right([replace(op, rounding=rounded_down(op)) for op in ops])


# what: (kind of op that must notice it, where the right function is, what it does instead)
IN_HARDWARE: dict[str, tuple[str, str, Wrap]] = {
    "ignored ready": ("threshold", "edgeternary_hw.threshold.mapped", ready_ignored),
    "> for >=": ("threshold", "edgeternary_hw.threshold.Threshold.__init__", one_more),
    "wrong pad": ("conv2d", "edgeternary.hdl.parts.conv2d.Conv2dLayer.build", padded_wrong),
    "first bit of the ROM last": ("dense", "edgeternary_hw.mvu.table", bits_reversed),
    "maximum of the window before": ("max_pool", "edgeternary_hw.pool.Reduce._step", never_fresh),
    "tflite_single rounds down": (
        "requantize", "edgeternary.hdl.parts.requantize.constants", constants_rounded_down,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", IN_HARDWARE)
def test_in_hardware(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("amaranth")
    kind, where, wrong = IN_HARDWARE[fault]
    right = resolve_name(where)
    monkeypatch.setattr(where, lambda *given, **more: wrong(right, *given, **more))
    graphs = [graph for graph in chosen(kind) if case(graph) not in REFUSED]
    with pytest.raises((AssertionError, EdgeTernaryError)):
        for graph in graphs:
            agrees(graph, stalls=5, pace=3)


def packed_wrong(codes: np.ndarray, type: Type) -> np.ndarray:
    """The first bit of each byte last."""
    octets = RIGHT_PACK(codes, type).astype("<u4").view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")
    return np.packbits(bits, axis=-1, bitorder="big").view("<u4").astype(np.uint32)


RIGHT_PACK = encoding.pack


def test_in_packing_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeternary.ir.file.pack", packed_wrong)
    edgeternary.save(tiny_mlp(), tmp_path / "m.et")
    codes = inputs(tiny_mlp(), 20)
    with pytest.raises((AssertionError, EdgeTernaryError)):
        found = run(edgeternary.load(tmp_path / "m.et"), codes)
        np.testing.assert_array_equal(found.outputs, run(tiny_mlp(), codes).outputs)


def test_in_packing_of_c(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|gcc|clang")
    monkeypatch.setattr(encoding, "pack", packed_wrong)
    with pytest.raises(AssertionError, match="host differs from numpy"):
        Fleet.of(chosen("dense")).check("host", opt_level="1")


def of_first_group(right: Callable[..., np.ndarray], op: Conv2d, x: np.ndarray) -> np.ndarray:
    """Every group reads the channels of the first one."""
    return right(op, np.tile(x[..., : x.shape[-1] // op.groups], op.groups))


def maximum(right: Callable[..., np.ndarray], op: SumPool, x: np.ndarray) -> np.ndarray:
    minimum = np.zeros(x.shape[-1], np.uint8)
    pool = MaxPool(name=op.name, inputs=op.inputs, kernel=op.kernel, stride=op.stride, minimum=minimum)
    return pool.ref(x)


# what: (op, method, what it does instead: of the right method, the op and the input)
IN_NUMPY: dict[str, tuple[Any, str, Callable[..., np.ndarray]]] = {
    "> for >=": (Threshold, "_count", lambda right, op, x: right(op, x - 1)),
    "narrow accumulator": (Dense, "ref", lambda right, op, x: right(op, x).astype(np.int16)),
    "wrong pad": (Conv2d, "_ref_chunk", changed(pad_value=lambda op: 0)),
    "groups mixed up": (Conv2d, "_ref_chunk", of_first_group),
    "no rounding": (Requantize, "_apply", changed(rounding=lambda op: "floor")),
    "tflite_single rounds down": (
        Requantize,
        "_apply",
        changed(rounding=rounded_down),
    ),
    "rows for columns": (Conv2d, "_depthwise", changed(weights=lambda op: op.weights.swapaxes(1, 2))),
    "no minimum": (MaxPool, "ref", changed(minimum=lambda op: 0 * op.minimum)),
    "later of equals": (Argmax, "ref", lambda right, op, x: x.shape[1] - 1 - right(op, x[:, ::-1])),
    "off by one": (Lookup, "ref", changed(offset=lambda op: op.offset + 1)),
    "maximum for sum": (SumPool, "ref", maximum),
}


@pytest.mark.parametrize("fault", IN_NUMPY)
def test_in_numpy(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("onnxruntime")
    cls, name, wrong = IN_NUMPY[fault]
    right = getattr(cls, name)
    monkeypatch.setattr(cls, name, lambda op, x: wrong(right, op, x))
    with pytest.raises(AssertionError):
        for graph in chosen(cls.kind):
            codes = inputs(graph, 24)
            judged = run(graph, codes, on="onnxruntime").outputs
            np.testing.assert_array_equal(run(graph, codes).outputs, judged)
