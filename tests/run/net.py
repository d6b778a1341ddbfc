"""The hand-written model of fixtures/: its C, its shapes, and what it computes, in numpy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from edgeternary.ir import Value, encoding, parse
from edgeternary.run._bench import BenchModel

FIXTURES = Path(__file__).parent / "fixtures"
INT32 = parse("int32")
HIDDEN, OUTPUTS, PIXELS = 24, 5, 64

# What the executors read of a graph.
X, Y = Value("x", (PIXELS,), parse("uint8"), 0, 255), Value("y", (OUTPUTS,), INT32, INT32.lo, INT32.hi)
GRAPH: Any = SimpleNamespace(
    input=X,
    inputs=(X,),
    output_value=Y,
    output_values=(Y,),
    states=("y",),
)


@dataclass(frozen=True)
class Tap:
    """int16 accumulators, or a word of bits."""

    value: Value
    bytes: int

    def decode(self, data: bytes) -> np.ndarray:
        if self.value.type.name == "binary":
            return encoding.unpack(np.frombuffer(data, "<u4").reshape(1, 1), self.value.type, HIDDEN)
        return np.frombuffer(data, "<i2").astype(np.int32)


TAPS: tuple[Any, ...] = (
    Tap(Value("fc1", (HIDDEN,), parse("int16"), -32768, 32767), 2 * HIDDEN),
    Tap(Value("sign1", (HIDDEN,), parse("binary"), 0, 1), 4),
)
STEPS = (("fc1", "plain"), ("sign1", "plain"), ("fc2", "plain"))


def model(taps: bool = False, replace: tuple[str, str] = ("", "")) -> BenchModel:
    """The model; `replace` puts the second text in place of the first one, which must be there."""
    text = (FIXTURES / "net.c").read_text()
    assert replace[0] in text
    text = text.replace(*replace) if replace[0] else text
    text = f"#define NET_TAPS\n{text}" if taps else text
    sources = {"net.c": text, "net.h": (FIXTURES / "net.h").read_text()}
    return BenchModel("net", sources, TAPS if taps else (), STEPS)


def inputs(samples: int, steps: int = 3) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (samples, steps, PIXELS)).astype(np.int32)


def tables() -> tuple[np.ndarray, np.ndarray]:
    """The weights of net.c: fc1 (24, 64) of +-1 and fc2 (5, 24) of -1, 0, +1."""
    text = (FIXTURES / "net.c").read_text()
    words = re.findall(r"\{ 0x([0-9a-f]{8})u, 0x([0-9a-f]{8})u \}", text)
    bits = np.array([[int(w, 16) >> i & 1 for w in row for i in range(32)] for row in words])
    rows = [line for line in text.splitlines() if re.fullmatch(r"    \{ [-0-9, ]+ \},", line)]
    return 2 * bits - 1, np.array([[int(n) for n in re.findall(r"-?\d+", row)] for row in rows])


def reference(x: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Outputs (samples, steps, 5) and taps of codes (samples, steps, 64)."""
    first, second = tables()
    acc = x @ first.T
    bits = (acc >= 37 * np.arange(HIDDEN) - 400).astype(np.int32)
    sums = (2 * bits - 1) @ second.T
    state = np.zeros((len(x), OUTPUTS), np.int64)
    outputs = []
    for step in range(x.shape[1]):
        state = _divide(3 * state + _divide(sums[:, step] * 1048576, 7), 5)
        outputs.append(state)
    return np.stack(outputs, axis=1), {"fc1": acc, "sign1": bits}


def _divide(n: np.ndarray, d: int) -> np.ndarray:
    """Division of C: towards zero."""
    return np.sign(n) * (abs(n) // d)
