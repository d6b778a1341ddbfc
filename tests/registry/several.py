"""Random graphs with several inputs or outputs: branches that are joined, and heads that part again.

Among the outputs are values that other layers read, heads that read another head's output, and the same value
twice; some graphs have a state. EDGETERNARY_SEVERAL=N makes the tests draw N graphs in place of a few.
"""

from __future__ import annotations

import os

import numpy as np

from edgeternary.ir import Graph, InputMeta, Meta, Op, OutputMeta, State, Value
from edgeternary.ops import Argmax, Concat, Reshape, build
from tests.registry.maker import Below, Maker

INPUTS = ("uint8", "int8", "binary", "bipolar", "ternary", "uint2", "uint4", "int5", "int16")
TRUNK = "uint2"  # of everything that is joined


class Part(Maker):
    """A branch or a head, whose layers are named after it."""

    def __init__(self, name: str, below: Below, rng: np.random.Generator, x: Value, wide: bool) -> None:
        super().__init__(below, rng, x, wide)
        self.part = name

    def name(self, kind: str) -> str:
        return f"{self.part}_{kind}{len(self.ops)}"

    def layers(self) -> None:
        """One to three layers of any kind, quantised."""
        for _ in range(1 + self.below(2)):
            if len(self.top.shape) == 3:
                self.conv(1 + self.below(6))
                if self.below(2):
                    self.pool()
            else:
                self.dense(1 + self.below(20))
            self.branch() if self.below(4) == 0 else self.quantise()

    def levelled(self, type: str) -> Value:
        """What the branch gives to the trunk: a vector of this type."""
        if self.top.type.name != type:
            if self.ops:
                self.quantise(type)
            else:
                self.add(build.random_thresholds(self.rng, self.top, type, self.name("act")))
        if len(self.top.shape) != 1:
            self.add(Reshape(name=self.name("flat"), inputs=(self.top.name,), shape=(self.top.size,)))
        return self.top


def grow(below: Below, rng: np.random.Generator, wide: bool = True, states: bool = True) -> Graph:
    """One to three inputs and one to four outputs, at least two of either.

    wide  whether 64-bit products may occur, which hardware refuses
    """
    count = 1 + below(3)
    values = [_input(f"in{i}", below) for i in range(count)]
    ops: list[Op] = []
    tops: list[Value] = []
    for value in values:
        part = Part(f"from_{value.name}", below, rng, value, wide)
        if below(4):
            part.layers()
        tops.append(part.levelled(TRUNK))
        ops += part.ops
    trunk, held = tops[-1], None
    if states and below(4) == 0:
        held = build.value("held", (1 + below(9),), TRUNK)
    if joined := [*tops, *([held] if held else [])]:
        if len(joined) > 1:
            both = Concat(name="trunk", inputs=tuple(value.name for value in joined))
            ops.append(both)
            trunk = both.infer(joined)
    heads: list[Value] = []
    for i in range(1 + below(3)):
        source = heads[-1] if heads and len(heads[-1].shape) == 1 and below(3) == 0 else trunk
        part = Part(f"head{i}", below, rng, source, wide)
        part.dense(1 + below(12))
        if below(2):
            part.quantise()
        if below(4) == 0:
            part.add(Argmax(name=part.name("best"), inputs=(part.top.name,)))
        heads.append(part.top)
        ops += part.ops
    shown = [head.name for head in heads]
    kept: tuple[State, ...] = ()
    if held:
        part = Part("level", below, rng, trunk, wide)
        part.dense(held.size)
        part.quantise(TRUNK)
        ops += part.ops
        kept = (State(held, rng.integers(0, 4, held.size).astype(np.int32), part.top.name),)
        if below(2):
            shown.append(part.top.name)
    made = [op.name for op in ops if op.name not in shown]
    if made and (below(2) or count + len(shown) < 3):
        shown.insert(below(len(shown) + 1), made[below(len(made))])
    if below(3) == 0 or (count == 1 and len(shown) == 1):
        again = shown[below(len(shown))]
        shape = next(op for op in ops if op.name == again)
        value = _values(values, kept, ops)[shape.name]
        ops.append(Reshape(name="again", inputs=(again,), shape=value.shape))
        shown.insert(below(len(shown) + 1), "again")
    metas = {v.name: InputMeta(scale=0.5 + below(3), zero=below(3)) for v in values}
    meta = Meta(inputs=metas) if count > 1 else Meta(input_scale=0.25)
    return Graph("random", values, ops, shown, kept, meta)


def _input(name: str, below: Below) -> Value:
    shape: tuple[int, ...] = (1 + below(30),)
    if below(2):
        shape = (1 + below(6), 1 + below(6), 1 + below(4))
    return build.value(name, shape, INPUTS[below(len(INPUTS))])


def _values(values: list[Value], states: tuple[State, ...], ops: list[Op]) -> dict[str, Value]:
    found = {value.name: value for value in (*values, *(state.value for state in states))}
    for op in ops:
        found[op.name] = op.infer([found[name] for name in op.inputs])
    return found


def several(seed: int, wide: bool = True, states: bool = True) -> Graph:
    """The same graph for the same seed."""
    rng = np.random.default_rng(seed)
    return grow(lambda n: int(rng.integers(n)), rng, wide, states)


def two_heads() -> Graph:
    """An image and a vector; two heads, one of whose outputs the other reads."""
    rng = np.random.default_rng(3)
    values = (build.value("image", (3, 2, 2), "uint8"), build.value("vector", (5,), "int8"))
    part = Part("image", lambda n: n - 1, rng, values[0], wide=False)
    part.levelled(TRUNK)
    other = Part("vector", lambda n: n - 1, rng, values[1], wide=False)
    other.levelled(TRUNK)
    both = Concat(name="both", inputs=(part.top.name, other.top.name))
    kind = Part("kind", lambda n: 0, rng, both.infer([part.top, other.top]), wide=False)
    kind.dense(4)
    kind.quantise("uint2")
    size = Part("size", lambda n: 0, rng, kind.top, wide=False)
    size.dense(2)
    meta = Meta(
        inputs={"image": InputMeta(scale=1 / 255), "vector": InputMeta(scale=(0.5, 1, 2, 3, 4), zero=-3)},
        outputs={size.top.name: OutputMeta(logit_scale=0.25, labels=("small", "large"))},
    )
    ops = (*part.ops, *other.ops, both, *kind.ops, *size.ops)
    return Graph("two_heads", values, ops, (size.top.name, kind.top.name), (), meta)


def draws(few: int) -> range:
    """Seeds: `few`, or as many as the environment asks for."""
    return range(int(os.environ.get("EDGETERNARY_SEVERAL", few)))
