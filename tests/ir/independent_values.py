"""Shape, type and interval of every value of a file, by docs/integer-graph.md alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from tests.ir.independent_reader import Model, requantize

Derived = tuple[tuple[int, ...], str, int, int]  # shape, type, lo, hi
LIMIT = 2**31


def values(model: Model) -> dict[str, Derived]:
    """{name: (shape, type, lo, hi)} of the inputs, the states and the ops."""
    given = [*model.record["inputs"], *(state["value"] for state in model.record["states"])]
    found: dict[str, Derived] = {v["name"]: (tuple(v["shape"]), v["type"], v["lo"], v["hi"]) for v in given}
    for op in model.record["ops"]:
        found[op["name"]] = RULES[op["kind"]](op, *(found[name] for name in op["inputs"]))
    return found


def narrowest(lo: int, hi: int) -> str:
    if lo >= 0 and hi <= 1:
        return "binary"
    if lo >= -1 and hi <= 1:
        return "ternary"
    for bits in range(2, 17):
        if lo >= 0 and hi < 2**bits:
            return f"uint{bits}"
        if -(2 ** (bits - 1)) <= lo and hi < 2 ** (bits - 1):
            return f"int{bits}"
    assert lo >= -LIMIT and hi < LIMIT
    return "int32"


def accumulators(op: Any, lo: int, hi: int) -> tuple[int, int]:
    w = op["weights"].reshape(len(op["weights"]), -1)
    up, down, bias = w.clip(0).sum(1), w.clip(None, 0).sum(1), op["bias"]
    assert np.all(np.abs(bias) + (up - down) * max(abs(lo), abs(hi)) < LIMIT)
    return int((bias + up * lo + down * hi).min()), int((bias + up * hi + down * lo).max())


def dense(op: Any, x: Derived) -> Derived:
    return (len(op["bias"]),), "int32", *accumulators(op, *x[2:])


def window(x: Derived, kernel: Any, stride: Any, pad: Any) -> tuple[int, int]:
    pads = pad[0] + pad[2], pad[1] + pad[3]
    y, x_ = ((size + p - k) // s + 1 for size, p, k, s in zip(x[0], pads, kernel, stride))
    return y, x_


def conv2d(op: Any, x: Derived) -> Derived:
    lo, hi = x[2:]
    if any(op["pad"]):
        lo, hi = min(lo, op["pad_value"]), max(hi, op["pad_value"])
    out, ky, kx, _ = op["weights"].shape
    shape = (*window(x, (ky, kx), op["stride"], op["pad"]), out)
    return shape, "int32", *accumulators(op, lo, hi)


def threshold(op: Any, x: Derived) -> Derived:
    shape, _, lo, hi = x
    assert np.all(np.diff(op["t"], axis=1) >= 0) and op["t"].min() >= lo and op["t"].max() <= hi + 1
    ends = [op["base"] + op["step"] * (op["t"] <= end).sum(1) for end in (lo, hi)]
    return shape, op["type"], int(np.min(ends)), int(np.max(ends))


def rescaled(op: Any, x: Derived) -> Derived:
    shape, _, lo, hi = x
    ends = [requantize(op, np.full(shape[-1], end, np.int64)) for end in (lo, hi)]
    return shape, op["type"], int(np.min(ends)), int(np.max(ends))


def lookup(op: Any, x: Derived) -> Derived:
    reached = op["table"][x[2] - op["offset"] : x[3] - op["offset"] + 1]
    return x[0], op["type"], int(reached.min()), int(reached.max())


def gather(op: Any, x: Derived) -> Derived:
    reached = op["table"][x[2] : x[3] + 1]
    return (reached.shape[1],), op["table_type"], int(reached.min()), int(reached.max())


def rms_norm(op: Any, x: Derived) -> Derived:
    return x[0], "int16", -32767 if x[2] < 0 else 0, 32767 if x[3] > 0 else 0


def log_mel(op: Any, x: Derived) -> Derived:
    window, edges = [int(v) for v in op["window"]], [int(e) for e in op["edges"]]
    half, shift, rise = op["size"] // 2, op["shift"], [int(r) for r in op["rise"]]
    line = (sum(window) * 32768 >> shift) * 1025 // 1024 + 4096
    up = [rise[a - edges[0] : b - edges[0]] for a, b in pairwise(edges)]
    shares = [[*a, *(32768 - r for r in b)] for a, b in pairwise(up)]
    most = max(sum(r * r for r in share) for share in shares) * sum(w * w for w in window) * half
    assert 4 * line < LIMIT
    assert (2 * 1193 * (math.isqrt(most) + 1) >> 10 + shift) + 4096 * half < 2 * LIMIT
    frames = (math.prod(x[0]) - len(window)) // op["hop"] + 1
    return of((1, frames, len(edges) - 2), [0, 8192 - op["floor"]])


def of(shape: tuple[int, ...], ends: list[int]) -> Derived:
    """A value of the narrowest type."""
    return shape, narrowest(min(ends), max(ends)), min(ends), max(ends)


def joined(shape: tuple[int, ...], xs: tuple[Derived, ...]) -> Derived:
    lo, hi = min(x[2] for x in xs), max(x[3] for x in xs)
    types = {x[1] for x in xs}
    return shape, types.pop() if len(types) == 1 else narrowest(lo, hi), lo, hi


def sum_pool(op: Any, x: Derived) -> Derived:
    size = math.prod(op["kernel"])
    shape = (*window(x, op["kernel"], op["stride"], (0, 0, 0, 0)), x[0][2])
    return of(shape, [size * x[2], size * x[3]])


def upsample(op: Any, x: Derived) -> Derived:
    (h, w, c), kind, lo, hi = x
    if op["fill"] == "zero":
        lo, hi = min(lo, 0), max(hi, 0)
    return (h * op["factor"][0], w * op["factor"][1], c), kind, lo, hi


def bit(kind: str, never: bool, always: bool) -> tuple[str, int, int]:
    off = {"binary": 0, "bipolar": -1}[kind]
    return kind, 1 if always else off, off if never else 1


def compare(op: Any, x: Derived) -> Derived:
    shape, _, lo, hi = x
    assert op["t"].min() >= lo and op["t"].max() <= hi + 1 and op["source"].max() < shape[-1]
    return (*shape[:-1], len(op["t"])), *bit(
        op["type"], bool((op["t"] > hi).all()), bool((op["t"] <= lo).all())
    )


def lut(op: Any, x: Derived) -> Derived:
    assert x[1] in ("binary", "bipolar") and op["tables"].shape[1] == 1 << op["wiring"].shape[1] <= 64
    shape = window(x, op["kernel"], op["stride"], op["pad"]) if len(x[0]) == 3 else ()
    return (*shape, len(op["tables"])), *bit(
        op["type"], bool((op["tables"] < 1).all()), bool((op["tables"] > 0).all())
    )


def group_count(op: Any, x: Derived) -> Derived:
    sizes = np.diff([0, *op["ends"]])
    assert x[1] in ("binary", "bipolar") and sizes.min() >= 0 and op["ends"][-1] == x[0][0]
    ends = [op["bias"] + sizes * (end > 0) for end in x[2:]]
    return (len(sizes),), "int32", int(ends[0].min()), int(ends[1].max())


RULES: dict[str, Callable[..., Derived]] = {
    "dense": dense,
    "conv2d": conv2d,
    "threshold": threshold,
    "requantize": rescaled,
    "lookup": lookup,
    "gather": gather,
    "rms_norm": rms_norm,
    "log_mel": log_mel,
    "add": lambda op, a, b: of(a[0], [a[2] + b[2], a[3] + b[3]]),
    "mul": lambda op, a, b: of(a[0], [p * q for p in a[2:] for q in b[2:]]),
    "max_pool": lambda op, x: ((*window(x, op["kernel"], op["stride"], op["pad"]), x[0][2]), *x[1:]),
    "sum_pool": sum_pool,
    "reshape": lambda op, x: (tuple(op["shape"]), *x[1:]),
    "concat": lambda op, *xs: joined((*xs[0][0][:-1], sum(x[0][-1] for x in xs)), xs),
    "slice": lambda op, x: ((*x[0][:-1], op["stop"] - op["start"]), *x[1:]),
    "shift": lambda op, x, y: joined(x[0], (x, y)),
    "upsample": upsample,
    "compare": compare,
    "lut": lut,
    "group_count": group_count,
    "argmax": lambda op, x: of((1,), [0, x[0][0] - 1]),
}
