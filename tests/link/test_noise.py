"""A line that loses, changes, adds and delays bytes both ways: every answer that comes is the right one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.client import Client
from edgeternary.link.converse import converse
from edgeternary.ops import build as ops
from edgeternary.run import run
from tests.c.graphs import stateful
from tests.link.fake import Fake, small
from tests.need import need

FAULTS = ("none", "lost", "cut", "flip", "noise before", "noise after", "twice", "zero inside")


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("pyserial")


def harm(data: bytes, fault: str, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(data) + 1))
    noise = rng.bytes(int(rng.integers(1, 12)))
    kinds = {
        "none": data,
        "lost": b"",
        "cut": data[:at],
        "flip": data[: at - 1] + bytes([data[at - 1] ^ 1 << int(rng.integers(8))]) + data[at:]
        if at
        else data,
        "noise before": noise + data,
        "noise after": data + noise,
        "twice": data + data,
        "zero inside": data[:at] + b"\0" + data[at:],
    }
    return kinds[fault]


@given(
    st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3),
    st.sampled_from([0.02, 0.1, 0.3]),
    st.integers(0, 1000),
    st.booleans(),
)
@settings(max_examples=20, phases=[Phase.generate])
def test_answers_are_right_or_do_not_come(faults: list[str], rate: float, seed: int, states: bool) -> None:
    """Replies alone are doubled: no line sends requests twice, which would step a model with states twice."""
    rng = np.random.default_rng(seed)
    graph = stateful() if states else small()
    lead = (2, 3) if states else (4,)
    x = rng.integers(graph.input.lo, graph.input.hi + 1, (*lead, *graph.input.shape)).astype(np.int32)

    def line(data: bytes, n: int) -> bytes:
        return harm(data, faults[int(rng.integers(len(faults)))], rng) if rng.random() < rate else data

    def heard(data: bytes, n: int) -> bytes:
        found = line(data, n)
        return data if found == data + data else found

    with (
        Fake(graph, heard=heard, wire=line) as fake,
        Client.open(fake.port, 1_000_000, 0.06, 6, 0.06) as client,
    ):
        try:
            found = converse(client, client.hello(), graph, x)
        except EdgeTernaryError:
            assert rate > 0.02 or states, "with so few faults six attempts are enough"
            return
    np.testing.assert_array_equal(found.outputs, run(graph, x, on="numpy").outputs)


def test_a_thousand_frames_with_noise_between_them() -> None:
    rng = np.random.default_rng(5)
    graph = small()
    x = ops.samples(rng, graph.input, 1000)
    with Fake(graph) as fake, Client.open(fake.port, 1_000_000, 1.0) as client:
        hello = client.hello()
        write = client.port.write
        client.port.write = lambda data: write(rng.bytes(int(rng.integers(0, 20))) + data)  # type: ignore
        found = converse(client, hello, graph, x)
    np.testing.assert_array_equal(found.outputs, run(graph, x, on="numpy").outputs)
