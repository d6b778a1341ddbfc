"""Reading .tflite files is reading untrusted input: cut off or changed, they end in an EdgeTernaryError.

python -m tests.fuzz.test_tflite_files SECONDS SEED      looks for longer
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest

pytest.importorskip("tflite")

from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.frontends.imported import Cut
from edgeternary.frontends.tflite.file import parse
from edgeternary.frontends.tflite.lower import lower
from edgeternary.frontends.tflite.net import quantized
from edgeternary.frontends.tflite.records import Tensor
from tests.frontends.mlperf_tiny import MODELS, found
from tests.frontends.tflite_files.drawn import network

WORDS = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 1 << 16)
HEAD = 4000  # bytes at the front, where most offsets are


@cache
def files() -> list[bytes]:
    paths = [found(name) for name in MODELS]
    return [network(seed) for seed in range(20)] + [path.read_bytes() for path in paths if path]


def outcome(content: bytes) -> str:
    """ "read" or "refused"; any other exception is a fault of the reader."""
    try:
        lower(parse(content, "m.tflite"), "m", "m.tflite", Cut())
    except EdgeTernaryError as error:
        assert error.code == BAD_INPUT and str(error)
        return "refused"
    return "read"


def changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, or with some bits, bytes or words changed."""
    if rng.random() < 0.15:
        return content[: int(rng.integers(len(content)))]
    made = bytearray(content)
    for _ in range(int(rng.integers(1, 12))):
        at = int(rng.integers(len(made) if rng.random() < 0.5 else min(len(made), HEAD)))
        kind = int(rng.integers(3))
        if kind == 0:
            made[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            made[at] = int(rng.choice([0, 1, 127, 128, 255]))
        else:
            made[at : at + 4] = int(rng.choice(WORDS)).to_bytes(4, "little")
    return bytes(made[: len(content)])


@pytest.mark.parametrize("seed", range(6))
def test_changed_files(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outcomes = Counter(outcome(changed(files()[int(rng.integers(20))], rng)) for _ in range(60))
    assert outcomes["refused"]


@pytest.mark.parametrize("index", range(len(MODELS)))
def test_models_cut_off(index: int) -> None:
    if len(files()) <= 20 + index:
        pytest.skip(
            "the models of MLPerf Tiny are not here; tests/frontends/test_mlperf_tiny.py requires them"
        )
    content = files()[20 + index]
    for share in (0.001, 0.3, 0.9):
        assert outcome(content[: int(share * len(content))]) == "refused"
    outcome(changed(content, np.random.default_rng(index)))


def test_other_files() -> None:
    for content in (b"", b"TFL3", b"\0" * 8, b"\x1c\0\0\0TFL3", b"\xff" * 4 + b"TFL3" + b"\xff" * 200):
        assert outcome(content) == "refused"


def test_a_scale_so_small_that_a_limit_is_infinite() -> None:
    """Found by the search: 6 / scale is infinite in float32, so the clamp of ReLU6 ends no code."""
    tiny = Tensor(0, "y", "y", (1, 4), "INT8", np.array([1e-38], np.float32), np.array([3]), 0, None)
    assert quantized(tiny, 6.0) > 127 and quantized(tiny, -1.0) < -128


def search(seconds: float, seed: int) -> Counter[str]:
    rng, start, outcomes = np.random.default_rng(seed), time.monotonic(), Counter[str]()
    while time.monotonic() - start < seconds:
        small = rng.random() < 0.85 or len(files()) == 20
        index = int(rng.integers(20)) if small else 20 + int(rng.integers(len(files()) - 20))
        content = changed(files()[index], rng)
        try:
            outcomes[outcome(content)] += 1
        except BaseException:
            sys.stderr.write(f"a fault, after {dict(outcomes)}\n")
            raise
    return outcomes


if __name__ == "__main__":
    print(dict(search(float(sys.argv[1]), int(sys.argv[2]))))
