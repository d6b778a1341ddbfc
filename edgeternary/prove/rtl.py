"""The RTL of a design against its graph: layers, and what leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from edgeternary.ir import Graph
from edgeternary.prove.certificate import GRAPH_RTL, OPEN, PROVEN, REFUTED, Claim
from edgeternary.prove.evaluate import Column
from edgeternary.prove.layers import Proof, Prover
from edgeternary.prove.meaning import Largest, Local
from edgeternary.prove.observe import Observed
from edgeternary.prove.places import Reading, of_element
from edgeternary.prove.terms import Word

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design

METHODS = {
    "algebra": "exact sums of yosys's cells",
    "every value": "every value of its inputs",
    "SAT": "SAT in yosys",
}
WIRES = "reshape"  # an op that changes no number


def proofs(graph: Graph, design: Design, prover: Prover, progress: Callable[[str], None]) -> Iterator[Proof]:
    """Of each layer, and of the answer, in order; nothing after one that is refuted."""
    for op in graph.ops:
        size, seen = graph.values[op.name].size, op.name in prover.observed.borders.borders
        if op.kind == WIRES or not (seen or any(prover.wire(op.name, k) is None for k in range(size))):
            continue
        progress(f"layer {op.name}")
        if seen:
            proof = prover.layer(op)
        else:
            proof = Proof(
                op.name, op.kind, size, open=dict.fromkeys(range(size), "the RTL shows no number of it")
            )
        yield proof
        if proof.refuted:
            return
    progress("the answer")
    for port in design.outs:
        yield _answer(design, prover, port.name, port.value.name)


def _answer(design: Design, prover: Prover, stream: str, name: str) -> Proof:
    """What leaves on a stream is the numbers of a value, as bytes or as codes."""
    observed, start = prover.observed, time.monotonic()
    words = list(_words(design, observed, stream))
    proof = Proof(f"answer on {stream}", "answer", len(words))
    for k, (word, reading) in enumerate(words):
        proof_of = Local(((name, k),), lambda columns: columns[0])
        if design.answer and k < design.answer.count:
            mask = (1 << reading.width) - 1
            proof_of = Local(((name, k),), _low(mask))
        if time.monotonic() > prover.deadline:
            proof.open[k] = "time ran out"
        elif design.answer and k >= design.answer.count:
            keys = tuple((name, j) for j in range(design.answer.count))
            prover.number(proof, k, (word, reading), Largest(keys))
        else:
            prover.number(proof, k, (word, reading), proof_of)
        if proof.refuted:
            break
    proof.seconds = time.monotonic() - start
    return proof


def _low(mask: int) -> Callable[[list[Column]], Column]:
    return lambda columns: columns[0] & mask


def _words(design: Design, observed: Observed, stream: str) -> Iterator[tuple[Word, Reading]]:
    """The numbers of an answer as they leave, and how they are read."""
    beats = observed.answer[stream]
    if part := design.answer:
        for k in range(part.count):
            own = beats[k * part.number_beats : (k + 1) * part.number_beats]
            bits = tuple(bit for beat in own for bit in beat)
            yield bits, Reading(((1, len(bits), False),))
        if part.index:
            bits = tuple(bit for beat in beats[part.count * part.number_beats :] for bit in beat)
            yield bits, Reading(((1, len(bits), False),))
        return
    port = next(port for port in design.outs if port.name == stream)
    width = port.element.width
    for beat in beats:
        for lane in range(port.lanes):
            yield beat[lane * width : (lane + 1) * width], of_element(port.element)


def claim(proof: Proof) -> Claim:
    """What a certificate says about a proof."""
    by = " and ".join(METHODS[method] for method in proof.proven)
    what = proof.layer if proof.kind == "answer" else f"{proof.layer} ({proof.kind})"
    state, why = PROVEN, ""
    if proof.refuted:
        state = REFUTED
        values = ", ".join(f"{n} {i} = {v}" for (n, i), v in list(proof.refuted.inputs.items())[:8])
        found = "another one" if proof.refuted.found is None else f"{proof.refuted.found}"
        why = f"number {proof.refuted.index} is {found} in place of {proof.refuted.expected} for {values}"
    elif proof.open:
        state = OPEN
        first = next(iter(proof.open))
        why = f"{len(proof.open):,} of {proof.numbers:,} numbers, of number {first}: {proof.open[first]}"
    elif proof.unused:
        why = f"nothing reads {proof.unused:,} of them"
    return Claim(GRAPH_RTL, what, state, proof.numbers, by, round(proof.seconds, 2), why)
