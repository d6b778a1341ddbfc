"""Short-hands for building small graphs by hand, used by the ops' examples and by tests."""

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, IntArray, Op, Value, parse, smallest
from edgeternary.ops.threshold import random_thresholds as random_thresholds
from edgeternary.ops.threshold import uniform_thresholds as uniform_thresholds


def value(
    name: str, shape: tuple[int, ...], type: str, lo: int | None = None, hi: int | None = None
) -> Value:
    """A value that takes the whole interval of its type, or [lo, hi]."""
    t = parse(type)
    return Value(name, shape, t, t.lo if lo is None else lo, t.hi if hi is None else hi)


def graph(x: Value, *ops: Op, name: str = "example") -> Graph:
    """A graph whose output is the last of `ops`."""
    return Graph(name=name, inputs=x, ops=ops, outputs=ops[-1].name)


def codes(rng: np.random.Generator, shape: tuple[int, ...], type: str) -> NDArray[np.int8]:
    """Random weight codes; ternary ones are 45 % zeros, k-bit ones are symmetric."""
    if type == "bipolar":
        return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)
    if type == "ternary":
        return rng.choice(np.array([-1, 0, 1], np.int8), shape, p=[0.275, 0.45, 0.275])
    hi = parse(type).hi
    return rng.integers(-hi, hi + 1, shape).astype(np.int8)


def samples(rng: np.random.Generator, x: Value, count: int) -> IntArray:
    """Inputs (count, *shape) for a graph input: random, after one all-lo and one all-hi sample."""
    data = rng.integers(x.lo, x.hi + 1, (count, *x.shape)).astype(np.int32)
    if x.type.name == "bipolar":
        data = np.where(data >= 0, 1, -1).astype(np.int32) if x.lo < x.hi else np.full_like(data, x.lo)
    data[:1] = x.lo
    data[1:2] = x.hi
    return data


def narrow(x: Value) -> str:
    """Name of the narrowest type that holds the interval of `x`."""
    return smallest(x.lo, x.hi).name
