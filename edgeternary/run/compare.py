"""Whether an executor is bit-exact with another one, and the first layer and value that differ if not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.ports import join, split
from edgeternary.run import find, run
from edgeternary.run._known import check_executors, check_options
from edgeternary.run.inputs import check_inputs
from edgeternary.run.result import Result

REFERENCE = "numpy"
Options = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Difference:
    """The first value that differs.

    layer      name of the first layer, in graph order, whose value differs in the first wrong sample
    index      (sample, *index), with a step after the sample for a graph with states
    expected   the reference's value there, `found` the executor's
    agreed     the last layer before it that was compared and agrees, "" if none was
    """

    layer: str
    index: tuple[int, ...]
    expected: int
    found: int
    agreed: str = ""

    def __str__(self) -> str:
        text = f"layer {self.layer!r} at sample {self.index[0]}, index {list(self.index[1:])}"
        text += f": expected {self.expected}, found {self.found}"
        return text + (f" (agrees up to {self.agreed!r})" if self.agreed else "")


@dataclass(frozen=True)
class Comparison:
    """What one executor answered, and how it compares with the reference (mismatches None: not compared)."""

    executor: str
    samples: int
    result: Result
    mismatches: int | None = None
    difference: Difference | None = None
    waves: str = ""  # the wave file that the executor wrote


def mismatches(expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Indices of the samples whose complete output tensor differs (never the class alone)."""
    if expected.shape != found.shape:
        raise EdgeTernaryError(
            f"the outputs have the shape {found.shape}",
            f"the reference has {expected.shape}",
            "report this: an executor must keep the shape of the graph's output",
        )
    different = (expected != found).reshape(len(expected), -1).any(axis=1)
    return np.flatnonzero(different)


def joined(graph: Graph, outputs: Any) -> np.ndarray:
    """A result's outputs as one array, (samples, ...): of several all of them together."""
    return join(graph.output_values, outputs) if isinstance(outputs, Mapping) else outputs


def compares_something(on: Sequence[str], reference: str = REFERENCE) -> None:
    """EdgeTernaryError (exit code 2) unless an executor other than the reference is named."""
    if set(on) <= {reference}:
        raise EdgeTernaryError(
            "nothing is compared",
            f"executors are compared with {reference}, and {reference} is the only one that is named",
            "name another one too, for example host or cortex-m4",
            USAGE,
        )


def compare(
    graph: Graph,
    inputs: Any,
    on: Sequence[str],
    *,
    reference: str = REFERENCE,
    options: Options | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Comparison]:
    """Run `graph` on every executor of `on` and compare complete outputs with those of `reference`.

    inputs    integer codes (samples, *shape), or (samples, steps, *shape) for a graph with states
    options   executor name -> options of that executor
    progress  called with (executor, done, total)
    The reference runs first, whether it is in `on` or not; the list has one entry for each of `on`.
    """
    return list(comparisons(graph, inputs, on, reference=reference, options=options, progress=progress))


def comparisons(
    graph: Graph,
    inputs: Any,
    on: Sequence[str],
    *,
    reference: str = REFERENCE,
    options: Options | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Comparison]:
    """The same, one executor after the other."""
    options = options or {}
    check_executors(options, {*on, reference})
    inputs = split(graph.inputs, check_inputs(graph, inputs))
    expected = _run(graph, inputs, reference, options, progress)
    wanted = joined(graph, expected.outputs)
    for executor in on:
        same = executor == reference
        result = expected if same else _run(graph, inputs, executor, options, progress)
        answers = joined(graph, result.outputs)
        wrong = mismatches(wanted, answers)
        difference = None
        if wrong.size:
            sample = int(wrong[0])
            outputs = wanted[sample], answers[sample]
            difference = locate(graph, inputs, sample, executor, outputs, reference, options)
        waves = str(options.get(executor, {}).get("waves") or "")
        yield Comparison(executor, len(answers), result, int(wrong.size), difference, waves)


def locate(
    graph: Graph,
    inputs: Any,
    sample: int,
    executor: str,
    outputs: tuple[np.ndarray, np.ndarray],
    reference: str = REFERENCE,
    options: Options | None = None,
) -> Difference:
    """The first layer that differs in `sample`: both executors run that one sample again with taps.

    outputs  of that sample, (*shape): what the reference answered, and what `executor` did; several outputs
             in their joined form

    In place of an executor without taps, the one that its module names as TAPPED_BY runs, if it is wrong too.
    Where nothing but the output is known, or where the run with taps is right, the output is what differs.
    """
    one = {
        name: codes[sample : sample + 1]
        for name, codes in split(graph.inputs, check_inputs(graph, inputs)).items()
    }
    options = options or {}
    ours = run(graph, one, on=reference, taps=True, options=options.get(reference)).taps
    module, target = find(executor)
    tapped = getattr(module, "TAPPED_BY", "")
    tapped = f"{tapped}:{target}".rstrip(":") if tapped else executor
    # the wave file of the first run stays
    own = {key: value for key, value in options.get(executor, {}).items() if key != "waves"}
    try:
        again = run(graph, one, on=tapped, taps=True, options=own)
        wrong = tapped == executor or not np.array_equal(joined(graph, again.outputs)[0], outputs[0])
        theirs = again.taps if wrong else {}
    except EdgeTernaryError:
        theirs = {}
    agreed = ""
    for op in graph.ops:
        if op.name not in ours or op.name not in theirs:
            continue
        difference = _first(op.name, sample, ours[op.name][0], theirs[op.name][0], agreed)
        if difference:
            return difference
        agreed = op.name
    agreed = "" if agreed in graph.outputs else agreed
    expected, found = (split(graph.output_values, one) for one in outputs)
    for name in graph.outputs:
        difference = _first(name, sample, expected[name], found[name], agreed)
        if difference:
            return difference
    raise ValueError(f"sample {sample} does not differ")


def not_bit_exact(graph: Graph, comparison: Comparison, reference: str = REFERENCE) -> EdgeTernaryError:
    """The error (exit code 4) for a comparison that found a difference."""
    check = "check that both run the same model file; if so, report this as a bug"
    if not comparison.waves and hasattr(find(comparison.executor)[0], "WAVES"):
        check = f"see its signals with simulate --waves FILE.vcd; {check}"
    return EdgeTernaryError(
        f"{comparison.executor} is not bit-exact with {reference}: "
        f"{comparison.mismatches} of {comparison.samples} samples of {graph.name!r} differ",
        f"first in {comparison.difference}"
        + (f"; the waves are in {comparison.waves}" if comparison.waves else ""),
        check,
        NOT_BIT_EXACT,
    )


def _run(
    graph: Graph,
    inputs: Any,
    executor: str,
    options: Options,
    progress: Callable[[str, int, int], None] | None,
) -> Result:
    own = dict(check_options(options.get(executor)))
    if progress:
        own["progress"] = lambda done, total: progress(executor, done, total)
    return run(graph, inputs, on=executor, options=own)


def _first(
    layer: str, sample: int, expected: np.ndarray, found: np.ndarray, agreed: str
) -> Difference | None:
    if expected.shape != found.shape:
        raise EdgeTernaryError(
            f"the tap of layer {layer!r} has the shape {found.shape}", f"the reference has {expected.shape}"
        )
    where = np.argwhere(expected != found)
    if not len(where):
        return None
    at = tuple(int(i) for i in where[0])
    return Difference(layer, (sample, *at), int(expected[at]), int(found[at]), agreed)
