"""Random networks whose activations are affine, as batch-norm and a quantiser are: there, and back again.

    python -m tests.export.drawn [--count 100]

Each is exported as .tflite and .onnx (QONNX), run by an engine that we did not write, imported again and
compared on numpy: the same integers everywhere.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.export._tflite_codes import MOST_LEVELS, of_type
from edgeternary.frontends.files import read
from edgeternary.ir import Graph, Op, Value, parse
from edgeternary.ops import Add, Concat, Conv2d, Dense, MaxPool, Reshape, SumPool, Threshold, build
from edgeternary.run import run

ACTIVATIONS = ("uint2", "uint3", "uint4", "ternary", "bipolar", "binary", "int4")
WEIGHTS = ("ternary", "bipolar", "int2", "int4")
INPUTS = ("uint8", "int8", "uint4", "bipolar")


@dataclass
class Drawn:
    """A graph that grows; `top` is the value that the next layer reads."""

    rng: np.random.Generator
    x: Value
    ops: list[Op] = field(default_factory=list)

    def add(self, kind: type[Op], *inputs: Value, **fields: object) -> Value:
        names = tuple(value.name for value in inputs)
        op = kind(name=f"{kind.kind}{len(self.ops)}", inputs=names, **fields)
        self.ops.append(op)
        return op.infer(list(inputs))

    def activation(self, x: Value, type: str) -> Value:
        """Thresholds ceil(k * gain + offset) in the middle of the interval, falling in some channels."""
        lo, gap, levels = of_type(parse(type))
        channels, k = x.channels, np.arange(1, levels + 1)
        spread = max((x.hi - x.lo) / (levels + 1), 1)
        gain = spread * self.rng.uniform(0.1, 0.9, (channels, 1))
        centre = (x.lo + x.hi) / 2 + spread * self.rng.uniform(-1, 1, (channels, 1))
        t = np.clip(np.ceil(centre + (k - levels / 2) * gain), x.lo, x.hi + 1).astype(np.int32)
        falling = self.rng.random(channels) < 0.2
        base = np.where(falling, lo + gap * levels, lo).astype(np.int32)
        step = np.where(falling, -gap, gap).astype(np.int32)
        return self.add(Threshold, x, t=t, base=base, step=step, type=type)

    def conv(self, x: Value) -> Value:
        """A convolution of any kind, with thresholds."""
        rng, (height, width, channels) = self.rng, x.shape
        kernel = (int(rng.integers(1, min(4, height + 1))), int(rng.integers(1, min(4, width + 1))))
        depthwise = rng.random() < 0.3
        outs = channels * int(rng.integers(1, 3)) if depthwise else int(rng.integers(1, 9))
        pad = tuple(int(n) for n in rng.integers(0, 2, 4)) if rng.random() < 0.6 else (0, 0, 0, 0)
        type, middle = str(rng.choice(WEIGHTS)), x.lo if x.type.name == "bipolar" else 0
        acc = self.add(
            Conv2d, x, weights=build.codes(rng, (outs, *kernel, 1 if depthwise else channels), type),
            weight_type=type, bias=rng.integers(-9, 10, outs).astype(np.int32), pad=pad,
            stride=(int(rng.integers(1, 3)), int(rng.integers(1, 3))), groups=channels if depthwise else 1,
            pad_value=int(rng.choice([x.lo, x.hi, middle])) if any(pad) else 0,
        )  # fmt: skip
        return self.activation(acc, str(rng.choice(ACTIVATIONS)))

    def residual(self, x: Value) -> Value:
        type = x.type.name
        branch = self.add(
            Conv2d, x, weights=build.codes(self.rng, (x.channels, 1, 1, x.channels), "ternary"),
            weight_type="ternary", bias=np.zeros(x.channels, np.int32),
        )  # fmt: skip
        return self.activation(self.add(Add, x, self.activation(branch, type)), type)

    def pool(self, x: Value) -> Value:
        kernel = (min(2, x.shape[0]), min(2, x.shape[1]))
        if self.rng.random() < 0.5:
            minimum = (self.rng.random(x.channels) < 0.3).astype(np.uint8)
            return self.add(MaxPool, x, kernel=kernel, stride=kernel, minimum=minimum)
        return self.activation(self.add(SumPool, x, kernel=kernel, stride=kernel), "uint4")

    def dense(self, x: Value, outs: int) -> Value:
        type = str(self.rng.choice(WEIGHTS))
        weights = build.codes(self.rng, (outs, x.size), type)
        bias = self.rng.integers(-99, 99, outs).astype(np.int32)
        return self.add(Dense, x, weights=weights, weight_type=type, bias=bias)


def drawn(seed: int) -> Graph:
    """A random network of two to seven layers."""
    rng = np.random.default_rng(seed)
    map_ = rng.random() < 0.7
    shape = tuple(int(n) for n in rng.integers(3, 9, 2)) + (int(rng.integers(1, 5)),)
    x = build.value("x", shape if map_ else (int(rng.integers(1, 40)),), str(rng.choice(INPUTS)))
    net, top = Drawn(rng, x), x
    if map_:
        top = net.conv(top)
        for _ in range(int(rng.integers(0, 4))):
            kind = rng.choice(["conv", "residual", "pool", "concat"])
            if kind == "concat":
                top = net.add(Concat, top, top)
            else:
                top = getattr(net, kind)(top)
        top = net.add(Reshape, top, shape=(top.size,))
    top = net.activation(net.dense(top, int(rng.integers(1, 12))), str(rng.choice(ACTIVATIONS)))
    top = net.dense(top, int(rng.integers(2, 11)))
    return Graph(f"drawn{seed}", x, net.ops, top.name)


def elements(graph: Graph, codes: np.ndarray) -> np.ndarray:
    """Codes of the input as the exported .tflite file takes them: their index minus 128."""
    lo, gap, levels = of_type(graph.input.type)
    lo = graph.input.lo if levels > MOST_LEVELS else lo
    return (codes.astype(np.int32) - lo) // gap - 128


def there_and_back(graph: Graph, folder: Path, samples: int = 20) -> dict[str, int]:
    """format -> mismatches among samples, of the engine and of the graph that was imported; -1: refused."""
    from edgeternary.export.qonnx import to_qonnx
    from edgeternary.export.tflite import to_tflite

    codes = build.samples(np.random.default_rng(1), graph.input, samples)
    expected = run(graph, codes).outputs
    found: dict[str, int] = {}
    for name, make, given in (("tflite", to_tflite, elements(graph, codes)), ("onnx", to_qonnx, codes)):
        path = folder / f"{graph.name}.{name}"
        try:
            path.write_bytes(make(graph))
        except EdgeTernaryError:
            found[name] = -1
            continue
        back = read(path).graph
        engine = run(back, given, on="original", options={"original": str(path)}).outputs
        wrong = [(y.reshape(expected.shape) != expected).any(1) for y in (run(back, given).outputs, engine)]
        found[name] = int(np.any(wrong, axis=0).sum())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    count = parser.parse_args().count
    totals: dict[str, list[int]] = {"tflite": [], "onnx": []}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            for name, wrong in there_and_back(drawn(seed), Path(folder)).items():
                totals[name].append(wrong)
                if wrong > 0:
                    print(f"{name} of seed {seed}: {wrong} samples differ")
    for name, wrong in totals.items():
        made = [n for n in wrong if n >= 0]
        print(f"{name}: {len(made)} of {count} exported, {sum(made)} mismatches")


if __name__ == "__main__":
    main()
