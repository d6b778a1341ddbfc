"""Circuits of whole numbers: every kind of node, folded constants, any number of stages."""

from __future__ import annotations

import numpy as np
import pytest

from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def simulated(circuit, i_width: int, outputs, stages, words: list[int]) -> list[int]:
    """The payloads out of a Wired part for payloads in, a beat every clock, with pauses at its end."""
    from amaranth.sim import Simulator

    from edgeternary_hw import Wired

    part, found = Wired(circuit, i_width, outputs, stages), []

    async def bench(ctx):
        ctx.set(part.o.ready, 1)
        sent = iter([*words, None])
        word = next(sent)
        for clock in range(4 * len(words) + 40):
            ctx.set(part.o.ready, clock % 3 != 1)
            ctx.set(part.i.valid, word is not None)
            ctx.set(part.i.payload, word or 0)
            taken = word is not None and ctx.get(part.i.ready)
            if ctx.get(part.o.valid) and ctx.get(part.o.ready):
                found.append(ctx.get(part.o.payload))
            await ctx.tick()
            word = next(sent) if taken else word

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("count, fabric", [(1, "ice40"), (2, "ecp5"), (5, "xc7")])
def test_every_kind_of_node(count: int, fabric: str) -> None:
    from edgeternary_hw import Circuit
    from edgeternary_hw.fabric import FABRICS
    from edgeternary_hw.stages import staged

    c = Circuit(fabric)
    a, b = c.input(0, 4), c.input(4, 5, signed=True)
    bits = [c.input(9 + k, 1) for k in range(6)]
    nodes = [
        c.add(a, b), c.add(a, b, 2, 0, True), c.add(b, a, 0, 1, False, bits[0]),
        c.add(b, a, 0, 3, True, bits[1]), c.add(a, a, 0, 4), c.ge(a, b), c.ge(a, b, 1, 0),
        c.ge(b, c.const(-3)),
        c.table(bits, 0xDEADBEEF12345678), c.table(bits[:1], 1),
        c.table([bits[0], bits[2], bits[0]], 0b10110100),
        c.count([*bits, bits[0]]), c.select(bits[3], a, b), c.shift(b, 2), c.clamp(b, -5, 7), c.bit(b, 4),
        c.bit(a, 9), c.add(c.const(7), c.const(-9)), c.word(bits[:3]),
        c.ge(b, a, 1), c.ge(a, c.const(11)), c.select(bits[1], c.const(2), b),
        c.select(bits[2], b, c.const(25)), c.select(bits[4], a, c.const(77)),
        c.select(bits[5], c.const(-1), a),
    ]  # fmt: skip

    def expected(word: int) -> list[int]:
        x, y = word & 15, (word >> 4 & 31) - (word >> 3 & 32)
        z = [word >> 9 + k & 1 for k in range(6)]
        six = sum(v << k for k, v in enumerate(z))
        three = z[0] + 2 * z[2] + 4 * z[0]
        return [
            x + y, 4 * x - y, y + 2 * x + z[0], y - 8 * x - z[1], 17 * x, int(x >= y), int(2 * x >= y),
            int(y >= -3),
            0xDEADBEEF12345678 >> six & 1, 1 - z[0], 0b10110100 >> three & 1, sum(z) + z[0], x if z[3] else y,
            y >> 2, min(max(y, -5), 7), y >> 4 & 1, 0, -2, z[0] + 2 * z[1] + 4 * z[2],
            int(2 * y >= x), int(x >= 11), 2 if z[1] else y, y if z[2] else 25, x if z[4] else 77,
            -1 if z[5] else x,
        ]  # fmt: skip

    outputs = [(n, 10) for n in nodes]
    stages = staged(c, nodes, FABRICS[fabric], count=count)
    words = [*np.random.default_rng(1).integers(0, 1 << 15, 200).tolist(), 0, (1 << 15) - 1]
    found = simulated(c, 15, outputs, stages, words)
    assert stages.count == count
    wanted = [expected(w) for w in words]
    got = [[code >> 10 * k & 1023 for k in range(len(nodes))] for code in found]
    np.testing.assert_array_equal(np.array(got), np.array(wanted) & 1023)
    for row in wanted:
        assert all(c.nodes[n].lo <= value <= c.nodes[n].hi for n, value in zip(nodes, row, strict=True))


def test_equal_nodes_are_made_once_and_constants_fold() -> None:
    from edgeternary_hw import Circuit

    c = Circuit()
    a, b = c.input(0, 1), c.input(1, 1)
    assert c.add(a, b) == c.add(b, a) and c.table([a, b], 0b1000) == c.table([b, a], 0b1000)
    assert c.nodes[c.ge(a, c.const(2))].kind == "const" and c.ge(a, c.const(1)) == a
    assert c.table([a, b], 0b1010) == a and c.invert(c.invert(a)) == a and c.select(a, b, b) == b
    assert c.nodes[c.add(a, a, 0, 0, True)].kind == "const"


def test_wires_to_many_readers_are_planned_longer() -> None:
    """A number that eight nodes read is `far` ns more away than one that seven read."""
    from edgeternary_hw import Circuit
    from edgeternary_hw.fabric import FABRICS

    for fabric in FABRICS.values():
        for readers in (7, 8):
            c = Circuit(fabric.name)
            read = c.input(0, 1)
            roots = [c.table([read, c.input(k, 1)], 0b0110) for k in range(1, readers + 1)]
            wanted = fabric.level + fabric.far * (readers == 8)
            delays = fabric.delays(c, c.live(roots))
            assert [delays[n] for n in roots] == [wanted] * readers and delays[read] == 0


def test_a_limit_of_delay_gives_the_stages() -> None:
    from edgeternary_hw import Circuit, Number
    from edgeternary_hw.fabric import FABRICS
    from edgeternary_hw.stages import staged

    c = Circuit()
    root = c.node(Number(tuple((c.input(k, 1), 1) for k in range(64))))
    fabric = FABRICS["ice40"]
    counts = [staged(c, [root], fabric, limit=limit).count for limit in (3.0, 5.0, 9.0, 40.0)]
    assert counts[-1] == 1 and counts == sorted(counts, reverse=True) and counts[0] == 6
    assert staged(c, [root], fabric, limit=5.0).slowest + fabric.start <= 5.0
    assert staged(c, [root], fabric, count=3).flip_flops(c, [root]) == 7 + 3 + sum([4 * 5, 16 * 3])
