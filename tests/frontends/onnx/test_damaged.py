"""Damaged files end in an EdgeTernaryError, or are read; a graph that is off by one is found by the judge."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.files import read
from edgeternary.ir import Graph
from edgeternary.ops import Dense, Requantize, Threshold, build
from edgeternary.run import run
from tests.frontends.onnx.files import Net

FOLDER = Path(__file__).parents[2] / "data" / "qonnx"
FILES = sorted(FOLDER.glob("*.onnx"))
ROUNDS = int(os.environ.get("EDGETERNARY_FUZZ", "25"))


def flipped(data: bytearray, r: random.Random) -> bytes:
    for _ in range(r.choice([1, 1, 2, 5])):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return bytes(data)


def truncated(data: bytearray, r: random.Random) -> bytes:
    return bytes(data[: r.randrange(len(data))])


def moved(data: bytearray, r: random.Random) -> bytes:
    """A piece that is somewhere else."""
    start, size, to = r.randrange(len(data)), r.randrange(1, 40), r.randrange(len(data))
    return bytes(data[:to] + data[start : start + size] + data[to:])


def other_numbers(data: bytearray, r: random.Random) -> bytes:
    """A sound file with a constant or attribute of another value."""
    model = onnx.load_from_string(bytes(data))
    if r.random() < 0.5:
        tensor = r.choice(model.graph.initializer)
        raw = np.frombuffer(tensor.raw_data, np.uint8).copy()
        if raw.size:
            raw[r.randrange(raw.size)] = r.randrange(256)
        tensor.raw_data = raw.tobytes()
        if r.random() < 0.2:
            tensor.dims.append(r.choice([0, 1, 2, 2**40]))
        return bytes(model.SerializeToString())
    node = r.choice(model.graph.node)
    if node.attribute:
        attribute = r.choice(node.attribute)
        attribute.i = r.choice([-1, 0, 2, 7, 2**62])
        attribute.ints[:] = [r.choice([-3, 0, 1, 2**40]) for _ in range(r.randrange(5))]
    else:
        node.input[:] = r.sample(list(node.input), len(node.input))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("damage", [flipped, truncated, moved, other_numbers])
def test_damaged_files(damage: Callable[[bytearray, random.Random], bytes], tmp_path: Path) -> None:
    r = random.Random(os.environ.get("EDGETERNARY_FUZZ_SEED", "1"))
    path = tmp_path / "net.onnx"
    for _ in range(ROUNDS):
        source = r.choice(FILES)
        path.write_bytes(damage(bytearray(source.read_bytes()), r))
        try:
            read(path)
        except EdgeTernaryError as error:
            assert error.code == 1
        except Exception:
            kept = os.environ.get("EDGETERNARY_FUZZ_KEEP")
            if kept:
                (Path(kept) / f"{source.stem}_{r.randrange(10**6)}.onnx").write_bytes(path.read_bytes())
            raise


def test_no_file_of_onnx(tmp_path: Path) -> None:
    for data in (b"", b"\x08", b"PK\x03\x04", bytes(range(256))):
        (tmp_path / "net.onnx").write_bytes(data)
        with pytest.raises(EdgeTernaryError, match="onnx"):
            read(tmp_path / "net.onnx")


def off_by_one(graph: Graph, kind: type) -> Graph:
    """The graph with the first of its ops of this kind wrong by one."""
    ops = list(graph.ops)
    at = next(i for i, op in enumerate(ops) if isinstance(op, kind))
    op = ops[at]
    if isinstance(op, Threshold):
        ops[at] = msgspec.structs.replace(op, t=np.maximum(op.t - 1, graph.values[op.inputs[0]].lo))
    elif isinstance(op, Requantize):
        ops[at] = msgspec.structs.replace(op, b=op.b + np.where(op.m > 0, op.m, 0).astype(np.int32))
    elif isinstance(op, Dense):
        ops[at] = msgspec.structs.replace(op, bias=op.bias + np.int32(1))
    return graph.with_ops(ops)


@pytest.mark.parametrize(("kind", "bits"), [(Threshold, 3), (Requantize, 8), (Dense, 8)])
def test_a_fault_is_no_tie(kind: type, bits: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    net = Net(1, 5)
    net.quant(0.0317, 8)
    net.add("MatMul", rng.integers(-7, 8, (5, 6)).astype(np.float32))
    net.quant(1.7 if bits == 3 else 0.3, bits)
    net.add("MatMul", rng.integers(-7, 8, (6, 3)).astype(np.float32))
    path = net.save(tmp_path)
    graph = read(path).graph
    x = build.samples(rng, graph.input, 200)
    answer = run(graph, x, on="qonnx", options={"original": path})
    np.testing.assert_array_equal(answer.outputs, graph.run(x).outputs)
    wrong = off_by_one(graph, kind)
    answer = run(wrong, x, on="qonnx", options={"original": path})
    assert np.any(answer.outputs != wrong.run(x).outputs)
    assert answer.stats["ties"] == 0


def test_ties_of_float_sums(tmp_path: Path) -> None:
    """0.1 * 0.3 / 0.6 puts every tenth accumulator beside a boundary, where float32 sums decide."""
    rng = np.random.default_rng(0)
    net = Net(1, 60)
    top = net.quant(0.1, 8)
    w = net.add("DequantizeLinear", net._name(rng.integers(-9, 10, (60, 8)).astype(np.int8)), net._name(0.3))
    net.add("MatMul", top, w)
    net.quant(0.6, 8)
    net.add("MatMul", rng.integers(-7, 8, (8, 3)).astype(np.float32))
    path = net.save(tmp_path)
    graph = read(path).graph
    x = rng.integers(-9, 10, (60, 60))
    answer = run(graph, x, on="qonnx", options={"original": path})
    np.testing.assert_array_equal(answer.outputs, graph.run(x).outputs)
    assert int(str(answer.stats["ties"])) > 0
    assert "from the boundary" in str(answer.stats["farthest"])
