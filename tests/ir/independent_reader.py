"""Reads and evaluates `.et` files by docs/integer-graph.md alone: nothing of edgeternary is imported here.

All arithmetic is int64 numpy on one sample at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

Array = NDArray[np.int64]
DEFAULTS: dict[str, dict[str, Any]] = {
    "conv2d": {"stride": [1, 1], "pad": [0, 0, 0, 0], "pad_value": 0, "groups": 1},
    "max_pool": {"pad": [0, 0, 0, 0]},
    "compare": {"type": "binary"},
    "log_mel": {"floor": 0, "peak": 0},
    "lut": {"type": "binary", "kernel": [1, 1], "stride": [1, 1], "pad": [0, 0, 0, 0]},
    "upsample": {"fill": "repeat"},
}
PLANES = {"bipolar": 1, "binary": 1, "ternary": 2}


@dataclass(frozen=True)
class Model:
    """The JSON of a file, with arrays in place of their records."""

    record: Mapping[str, Any]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs of inputs (samples, *shape), or (samples, steps, *shape) with states, by name."""
        count = len(next(iter(inputs.values())))
        found = [self._sample({n: x[i].astype(np.int64) for n, x in inputs.items()}) for i in range(count)]
        return {name: np.stack([sample[name] for sample in found]) for name in self.record["outputs"]}

    def _sample(self, sample: Mapping[str, Array]) -> dict[str, Array]:
        states = {s["value"]["name"]: s["init"] for s in self.record["states"]}
        if not states:
            return self._step(sample, states)[0]
        outputs = []
        for i in range(len(next(iter(sample.values())))):
            output, states = self._step({name: steps[i] for name, steps in sample.items()}, states)
            outputs.append(output)
        return {name: np.stack([step[name] for step in outputs]) for name in self.record["outputs"]}

    def _step(
        self, x: Mapping[str, Array], states: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        values = {**x, **states}
        for op in self.record["ops"]:
            found = OPS[op["kind"]](op, *(values[name] for name in op["inputs"]))
            values[op["name"]] = found
        nexts = {s["value"]["name"]: values[s["next"]] for s in self.record["states"]}
        return {name: values[name] for name in self.record["outputs"]}, nexts


def read(path: Path) -> Model:
    """A model file."""
    with safe_open(path, framework="numpy") as tensors:
        metadata = tensors.metadata()
        assert list(metadata) == ["edgeternary"]
        record = json.loads(metadata["edgeternary"])
        assert record["format"] in (1, 2)
        if record["format"] == 1:
            record.update(inputs=[record.pop("input")], outputs=[record.pop("output")])
        for op in record["ops"]:
            op.update({**DEFAULTS.get(op["kind"], {}), **op})
            for field, content in op.items():
                if isinstance(content, dict):
                    op[field] = _array(tensors.get_tensor(content["tensor"]), content)
        for state in record["states"]:
            state["init"] = _array(tensors.get_tensor(state["init"]["tensor"]), state["init"])
    return Model(record)


def _array(tensor: NDArray[Any], record: Mapping[str, Any]) -> Array:
    if "type" not in record:
        assert tensor.dtype in (np.int8, np.int16, np.int32, np.uint8)
        return tensor.astype(np.int64)
    kind, count = record["type"], math.prod(record["shape"])
    planes = PLANES.get(kind) or int(kind.removeprefix("u").removeprefix("int"))
    assert tensor.dtype == np.uint32 and tensor.shape == (planes, -(-count // 32))
    element = np.arange(count)
    bits = tensor.astype(np.int64)[:, element // 32] >> element % 32 & 1
    if kind == "bipolar":
        codes = 2 * bits[0] - 1
    elif kind == "ternary":
        assert not np.any(bits[0] & bits[1])
        codes = bits[0] - bits[1]
    else:
        codes = sum(bit << k for k, bit in enumerate(bits))
        if kind.startswith("int"):
            codes = codes - (bits[-1] << planes)
    return np.asarray(codes, np.int64).reshape(record["shape"])


def dense(op: Any, x: Array) -> Array:
    return np.asarray(op["weights"] @ x + op["bias"])


def conv2d(op: Any, x: Array) -> Array:
    weights, groups = op["weights"], op["groups"]
    out, ky, kx, n = weights.shape
    size = out // groups
    places = _windows(_padded(x, op["pad"], op["pad_value"]), (ky, kx), op["stride"])
    acc = sum(
        np.concatenate(
            [
                part[:, :, g * n : (g + 1) * n] @ weights[g * size : (g + 1) * size, y, x].T
                for g in range(groups)
            ],
            axis=2,
        )
        for (y, x), part in places.items()
    )
    return np.asarray(acc + op["bias"])


def _padded(x: Array, pad: list[int], value: int) -> Array:
    top, left, bottom, right = pad
    return np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=value)


def _windows(x: Array, kernel: Any, stride: Any) -> dict[tuple[int, int], Array]:
    """For each place of the window, what every window has there: (OH, OW, C)."""
    rows, columns = ((size - k) // s + 1 for size, k, s in zip(x.shape, kernel, stride))
    sy, sx = stride
    return {
        (i, j): x[i : i + (rows - 1) * sy + 1 : sy, j : j + (columns - 1) * sx + 1 : sx]
        for i in range(kernel[0])
        for j in range(kernel[1])
    }


def threshold(op: Any, x: Array) -> Array:
    return np.asarray(op["base"] + op["step"] * (x[..., None] >= op["t"]).sum(-1))


def requantize(op: Any, x: Array) -> Array:
    m, b, s = op["m"], op["b"], op["s"]
    if op["rounding"] == "floor":
        rounded = x * m + b >> s
    elif op["rounding"] in ("half_up", "tflite_single"):
        rounded = x * m + b + np.where(s > 0, 1 << np.maximum(s - 1, 0), 0) >> s
    else:
        product = (x << np.maximum(31 - s, 0)) * m
        nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
        high = np.sign(nudged) * (np.abs(nudged) >> 31)
        power = np.maximum(s - 31, 0)
        rounded = np.sign(high) * (np.abs(high) + (1 << power >> 1) >> power)
    return np.clip(rounded + op["zero"], op["lo"], op["hi"])


def lookup(op: Any, x: Array) -> Array:
    return np.asarray(op["table"][x - op["offset"]])


def gather(op: Any, x: Array) -> Array:
    return np.asarray(op["table"][x[0]])


def rms_norm(op: Any, x: Array) -> Array:
    rows = []
    for vector in x.reshape(-1, x.shape[-1]).tolist():
        total = max(sum(v * v for v in vector), 1)
        h = (total.bit_length() + 1) // 2 - 8  # 2^14 <= total / 4^h < 2^16
        f = total >> 2 * h if h >= 0 else total << -2 * h
        r = math.isqrt(((1 << 46) - 1) // f)
        rows.append([min(max(v * r >> h + 8, -32767), 32767) for v in vector])
    return np.array(rows, np.int64).reshape(x.shape)


def log_mel(op: Any, x: Array) -> Array:
    s, size, width = [int(v) for v in x.reshape(-1)], op["size"], len(op["window"])
    sine = [round(-math.sin(2 * math.pi * k / size) * 32768) for k in range(3 * size // 4)]
    table = [round(math.log2(1 + i / 32) * 32768) for i in range(33)]

    def level(v: int) -> int:
        n = v.bit_length() - 1
        bits = (v << 31 - n) - 2**31
        i, f = bits >> 26, bits >> 16 & 1023
        return n * 32768 + table[i] + ((table[i + 1] - table[i]) * f >> 10) + 64 >> 7

    floor = op["floor"] + (level(max(1, *s)) if op["peak"] else 0)
    rows = []
    for start in range(0, len(s) - width + 1, op["hop"]):
        y = [v * int(f) >> op["shift"] for v, f in zip(s[start:], op["window"])] + [0] * (size - width)
        rows.append([max(level(e) - floor, 0) if e else 0 for e in _bands(op, _transform(y, sine), sine)])
    return np.array([rows], np.int64)


def _transform(y: list[int], sine: list[int]) -> list[tuple[int, int]]:
    """(real, imaginary) of the transform of the pairs of y."""
    half, bits = len(y) // 2, len(y).bit_length() - 2
    order = [int(f"{j:0{bits}b}"[::-1], 2) for j in range(half)]
    z = [(y[2 * r], y[2 * r + 1]) for r in order]
    span = 1
    while span < half:
        for p in (p for p in range(half) if p % (2 * span) < span):
            k = p % span * (half // span)
            s, c = sine[k], sine[k + half // 2]
            (a, b), (re, im) = z[p], z[p + span]
            t, u = -(re * c + im * s >> 15), re * s - im * c >> 15
            z[p], z[p + span] = (a + t, b + u), (a - t, b - u)
        span *= 2
    return z


def _bands(op: Any, z: list[tuple[int, int]], sine: list[int]) -> list[int]:
    edges, half = [int(e) for e in op["edges"]], len(z)
    sums = [0] * (len(edges) - 1)
    for band, (start, stop) in enumerate(pairwise(edges)):
        for k in range(start, stop):
            (zr, zi), (mr, mi) = z[k], z[half - k]
            s, c, pr, pi = sine[k], sine[k + half // 2], zi + mi, mr - zr
            re = zr + mr - (pr * c + pi * s >> 15)
            im = zi - mi + (pr * s - pi * c >> 15)
            a, b = max(abs(re), abs(im)), min(abs(re), abs(im))
            for i in range(1, 5):
                a, b = (a + (b >> i), b - (a >> i)) if b >= 0 else (a - (b >> i), b + (a >> i))
            share = a * int(op["rise"][k - edges[0]]) >> 15
            sums[band] += share
            if band:
                sums[band - 1] += a - share
    return sums[:-1]


def max_pool(op: Any, x: Array) -> Array:
    sign = np.where(op["minimum"] == 1, -1, 1)  # min(x) = -max(-x)
    parts = _windows(_padded(x * sign, op["pad"], -(2**40)), op["kernel"], op["stride"])
    return np.asarray(np.max(list(parts.values()), axis=0) * sign)


def sum_pool(op: Any, x: Array) -> Array:
    return np.asarray(sum(_windows(x, op["kernel"], op["stride"]).values()))


def shift(op: Any, x: Array, y: Array) -> Array:
    return np.concatenate([x, y], axis=-1)[..., y.shape[-1] :]


def upsample(op: Any, x: Array) -> Array:
    fy, fx = op["factor"]
    block = np.zeros((fy, fx, 1), np.int64)
    block[: None if op["fill"] == "repeat" else 1, : None if op["fill"] == "repeat" else 1] = 1
    return np.kron(x, block)


def argmax(op: Any, x: Array) -> Array:
    return np.array([int(np.flatnonzero(x == x.max())[0])])


def compare(op: Any, x: Array) -> Array:
    found = [(x[..., c] >= t) for c, t in zip(op["source"], op["t"])]
    return np.where(np.stack(found, axis=-1), 1, 0 if op["type"] == "binary" else -1)


def lut(op: Any, x: Array) -> Array:
    image = x if x.ndim == 3 else x.reshape(1, 1, -1)
    parts = _windows(_padded(image, op["pad"], 0), op["kernel"], op["stride"])
    bits = np.concatenate(list(parts.values()), axis=-1) > 0
    found = []
    for pins, table in zip(op["wiring"], op["tables"]):
        address = sum(bits[..., pin].astype(int) << k for k, pin in enumerate(pins) if pin >= 0)
        found.append(table[np.broadcast_to(address, bits.shape[:2])])
    made = np.stack(found, axis=-1)
    return made if x.ndim == 3 else made.reshape(-1)


def group_count(op: Any, x: Array) -> Array:
    starts = [0, *op["ends"][:-1]]
    return op["bias"] + np.array([(x[a:b] > 0).sum() for a, b in zip(starts, op["ends"])])


OPS: dict[str, Callable[..., Array]] = {
    "dense": dense,
    "conv2d": conv2d,
    "threshold": threshold,
    "requantize": requantize,
    "lookup": lookup,
    "gather": gather,
    "rms_norm": rms_norm,
    "log_mel": log_mel,
    "add": lambda op, a, b: a + b,
    "mul": lambda op, a, b: a * b,
    "max_pool": max_pool,
    "sum_pool": sum_pool,
    "reshape": lambda op, x: x.reshape(op["shape"]),
    "concat": lambda op, *xs: np.concatenate(xs, axis=-1),
    "slice": lambda op, x: x[..., op["start"] : op["stop"]],
    "shift": shift,
    "upsample": upsample,
    "argmax": argmax,
    "compare": compare,
    "lut": lut,
    "group_count": group_count,
}
