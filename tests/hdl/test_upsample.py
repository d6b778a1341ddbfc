"""Hardware with an upsample: skip connections around it never hang, and cycles are predicted."""

import numpy as np
import pytest

from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Add, Concat, Conv2d, Mul, SumPool, Upsample, build
from edgeternary.run import run
from tests.full import FULL
from tests.need import need

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


class Maker:
    """A network layer by layer; `top` is the last value."""

    def __init__(self, size: int, channels: int) -> None:
        self.rng = np.random.default_rng(1)
        self.x = self.top = build.value("x", (size, size, channels), "uint4")
        self.ops: list[Op] = []

    def add(self, op: Op, *ins: Value) -> Value:
        self.ops.append(op)
        self.top = op.infer(ins or [self.top])
        return self.top

    def conv(self, outputs: int, kernel: int = 3, stride: int = 1) -> Value:
        """A convolution, padded at stride 1, and thresholds after it."""
        pad = (kernel - 1) // 2 if stride == 1 else 0
        self.add(
            Conv2d(
                name=f"conv{len(self.ops)}", inputs=(self.top.name,), weight_type="ternary",
                weights=build.codes(self.rng, (outputs, kernel, kernel, self.top.channels), "ternary"),
                bias=np.zeros(outputs, np.int32), stride=(stride, stride), pad=(pad,) * 4,
            )
        )  # fmt: skip
        return self.add(build.random_thresholds(self.rng, self.top, "uint4", f"act{len(self.ops)}"))

    def larger(self, factor: tuple[int, int], fill: str = "repeat") -> Value:
        name = f"larger{len(self.ops)}"
        return self.add(Upsample(name=name, inputs=(self.top.name,), factor=factor, fill=fill))

    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops)


def unet(fill: str) -> Graph:
    m = Maker(6, 2)
    skip = m.conv(4)
    m.conv(6, 2, 2), m.conv(4)
    up = m.larger((2, 2), fill)
    m.add(Concat(name="both", inputs=(up.name, skip.name)), up, skip)
    m.conv(3)
    return m.graph()


def tower(fill: str) -> Graph:
    m = Maker(3, 4)
    for factor in ((2, 2), (1, 3)):
        m.larger(factor, fill)
        m.conv(4)
    return m.graph()


def three(fill: str) -> Graph:
    """One value, repeated, repeated and convolved, and between zeros or repeated again, is added."""
    m = Maker(4, 4)
    plain = m.larger((2, 2))
    late = m.conv(4)
    m.top = m.x
    other = m.larger((2, 2), fill)
    total = m.add(Add(name="some", inputs=(late.name, other.name)), late, other)
    m.add(Add(name="all", inputs=(total.name, plain.name)), total, plain)
    return m.graph()


def gated(size: int) -> Graph:
    """Squeeze-and-excitation."""
    m = Maker(size, 2)
    body = m.conv(8)
    m.add(SumPool(name="pool", inputs=(body.name,), kernel=(size, size), stride=(size, size)))
    m.add(build.random_thresholds(m.rng, m.top, "uint4", "mean"))
    m.conv(8, 1)
    gate = m.larger((size, size))
    m.add(Mul(name="gated", inputs=(body.name, gate.name)), body, gate)
    m.add(build.random_thresholds(m.rng, m.top, "uint4", "last"))
    return m.graph()


def measured(graph: Graph, pace: int, count: int = 5) -> tuple[int, int, int, int]:
    """Cycles of a frame and latency, simulated and predicted; the answers are numpy's, with pauses too."""
    need("amaranth")
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build as built

    design = built(graph, fold(graph, pace))
    codes = build.samples(np.random.default_rng(2), graph.input, count)
    right = run(graph, codes).outputs
    np.testing.assert_array_equal(simulate(design, codes[:3], stalls=pace).outputs, right[:3])
    free = simulate(design, codes)
    np.testing.assert_array_equal(free.outputs, right)
    times = free.times
    return int(times[-1] - times[-2]), int(times[0]) + 1, design.cycles, design.latency


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "fill", "pace"),
    [
        (unet, "repeat", 64),
        (tower, "zero", 64),
        (three, "zero", 512),
        *([(unet, "zero", 512), (tower, "repeat", 512), (three, "repeat", 64)] * FULL),
    ],
)
def test_cycles_are_predicted_exactly(make, fill, pace):
    cycles, latency, said, said_latency = measured(make(fill), pace)
    assert (said, said_latency) == (cycles, latency)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "pace"), [(8, 512), (5, 3), *([(5, 512)] * FULL)])
def test_a_gate_of_the_whole_frame_sets_the_pace(size, pace):
    """The frame waits for its gate, and the next one for its place: the prediction is an upper bound."""
    cycles, latency, said, said_latency = measured(gated(size), pace)
    assert said_latency == latency
    assert cycles <= said <= 1.03 * cycles
