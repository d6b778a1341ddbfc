"""An input of the whole network for which a layer is wrong: the graph and the layer's formula are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.prove.certificate import Counterexample
from edgeternary.prove.evaluate import evaluate
from edgeternary.prove.layers import Prover, Refuted

if TYPE_CHECKING:
    from edgeternary.prove.subject import Subject

ROUNDS, BATCH = 64, 512  # batches of inputs that are tried
SHOWN = 16  # inputs that are simulated


def confirmed(subject: Subject, prover: Prover, refuted: Refuted) -> Counterexample | None:
    """An input for which the RTL in CXXRTL gives another answer than numpy; None where none was found."""
    graph = subject.graph
    if graph.several:
        return None
    for codes in _candidates(graph, prover, refuted):
        found = _simulated(subject, codes)
        if found is not None:
            at, expected, answer = found
            return Counterexample(
                refuted.layer, refuted.index, codes[at].reshape(-1).tolist(), expected, answer, "cxxrtl"
            )
    return None


def _candidates(graph: Graph, prover: Prover, refuted: Refuted) -> list[np.ndarray]:
    """Batches of codes, those first for which the formula of the refuted number is wrong."""
    from edgeternary.ops.build import samples

    rng, chosen, drawn = np.random.default_rng(1), [], []
    for _ in range(ROUNDS):
        codes = samples(rng, graph.input, BATCH)
        codes = _towards(graph, refuted, codes, rng)
        wrong = _wrong(graph, prover, refuted, codes)
        drawn.append(codes[:SHOWN])
        if len(wrong):
            chosen.append(codes[wrong[:SHOWN]])
        if len(chosen) >= 4:
            break
    return chosen or drawn[:4]


def _towards(graph: Graph, refuted: Refuted, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Codes that are those of the counterexample where it names inputs, or comparisons of inputs."""
    from edgeternary.ops import Compare

    flat = codes.reshape(len(codes), -1).copy()
    ops = {op.name: op for op in graph.ops}
    for (name, index), number in refuted.inputs.items():
        op = ops.get(name)
        if name == graph.input.name:
            flat[:, index] = number
        elif isinstance(op, Compare) and op.inputs == (graph.input.name,):
            pixel, j = divmod(index, len(op.source))
            at, t = pixel * graph.input.channels + int(op.source[j]), int(op.t[j])
            drawn = flat[:, at]
            high = rng.integers(min(t, graph.input.hi), graph.input.hi + 1, len(flat))
            low = rng.integers(graph.input.lo, max(t - 1, graph.input.lo) + 1, len(flat))
            right = (drawn >= t) == (number > 0)
            flat[:, at] = np.where(right, drawn, high if number > 0 else low)
    return flat.reshape(codes.shape).astype(codes.dtype)


def _wrong(graph: Graph, prover: Prover, refuted: Refuted, codes: np.ndarray) -> np.ndarray:
    """The samples for which the formula gives another number than the graph."""
    from edgeternary.run import run

    border = prover.observed.borders.borders.get(refuted.layer)
    if border is None:
        return np.array([], np.int64)
    word = prover.formula(border, refuted.index)
    assert word is not None
    result = run(graph, codes, on="numpy", taps=True)
    taps = {graph.input.name: codes, **result.taps}
    free: dict[int, np.ndarray] = {}
    for owner in prover.places.owners(word):
        if owner[0] not in taps:
            return np.array([], np.int64)
        own = prover.places.words[owner]
        numbers = taps[owner[0]].reshape(len(codes), -1)[:, owner[1]]
        place = prover.places.place(owner)
        if place is None or any(bit > 1 and bit & ~1 not in place.columns for bit in own):
            return np.array([], np.int64)
        known = prover.places.readings[owner].numbers(evaluate(prover.terms, own, place.columns, place.count))
        order = np.argsort(known, kind="stable")
        at = order[np.clip(np.searchsorted(known[order], numbers), 0, len(known) - 1)]
        free |= {bit: column[at] for bit, column in place.columns.items()}
    found = border.reading(refuted.index).numbers(evaluate(prover.terms, word, free, len(codes)))
    expected = taps[refuted.layer].reshape(len(codes), -1)[:, refuted.index]
    return np.flatnonzero(np.broadcast_to(found, expected.shape) != expected)


def _simulated(subject: Subject, codes: np.ndarray) -> tuple[int, object, object] | None:
    """A sample for which CXXRTL and numpy differ: (its place, numpy's answer, that of the RTL)."""
    from edgeternary.run import cxxrtl, run

    expected = run(subject.graph, codes, on="numpy").outputs
    try:
        found = cxxrtl.simulate(
            subject.design, "design.v", subject.rtl, "read_verilog design.v", codes, {"yosys": subject.yosys}
        ).outputs
    except EdgeTernaryError as error:
        if error.code == TOOL_MISSING:
            raise
        return 0, np.asarray(expected[0]).tolist(), str(error)
    assert isinstance(found, np.ndarray) and isinstance(expected, np.ndarray)
    wrong = np.flatnonzero((found != expected).reshape(len(codes), -1).any(axis=1))
    if not len(wrong):
        return None
    at = int(wrong[0])
    return at, expected[at].tolist(), found[at].tolist()
