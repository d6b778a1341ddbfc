"""Whether a code of a float engine differs from the exact one by the engine's rounding alone.

An engine computes an accumulator as a float32 sum of n rounded products in an order of its own. In units of
the accumulator its error is at most (n + 4) * u * sum |w| |x|, u = 2^-24 (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1, with the roundings of w * scale and x * scale). Each elementwise operator
after it adds at most 8 * u of the magnitudes that it reads. The exact accumulator, so widened, gives an
interval of codes; a code outside it is a mismatch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgeternary.frontends.imported import Cut
from edgeternary.frontends.onnx.inputs import Given
from edgeternary.frontends.onnx.read import walk
from edgeternary.frontends.onnx.values import Quantised
from edgeternary.ir import Graph
from edgeternary.ir.evaluate import evaluate
from edgeternary.ir.ports import join, split
from edgeternary.ops import Add, Conv2d, Dense, MaxPool, Reshape, SumPool
from edgeternary.run._onnx_file import Arrays, OnnxFile
from edgeternary.run._onnx_ports import names, steps

U = 2.0**-24
LINK = 8 * U


@dataclass(frozen=True)
class Tie:
    """A code that an engine rounded to a neighbour; distance: in accumulators, to where it is right."""

    sample: int
    tensor: str
    accumulator: int
    exact: int
    engine: int
    distance: float
    bound: float

    def __str__(self) -> str:
        return (
            f"sample {self.sample}, {self.tensor!r}: accumulator {self.accumulator} is {self.distance:.3g} "
            f"from the boundary of {self.exact} and {self.engine}; the engine errs by up to {self.bound:.3g}"
        )


class Ties:
    """The roundings of a file, found by reading it again."""

    def __init__(self, graph: Graph, path: Path) -> None:
        self.graph = graph
        kinds = {value.name: value for value in graph.inputs}
        only = graph.meta.of_input(graph.inputs[0].name)
        cut = Cut(tuple(names(graph, "onnx_inputs")), tuple(names(graph, "onnx_outputs")))
        given = Given()
        if graph.meta.info.get("onnx_input_type") and kinds:
            given = Given(
                graph.inputs[0].type.name, float(np.asarray(only.scale)), int(np.asarray(only.zero))
            )
        self.context, _, self.ends = walk(path, cut, given)
        self.steps = {step.result: step for step in self.context.quantised}
        self.found: list[Tie] = []
        self.samples: set[int] = set()

    def settle(self, file: OnnxFile, given: Arrays, codes: np.ndarray, sample: int) -> bool:
        """Whether the file, with exact codes in place of ties, gives what the graph does for one sample."""
        values = {name: part.astype(np.int32) for name, part in split(self.graph.inputs, codes[None]).items()}
        evaluate(self.context.ops, values)
        errors: dict[str, np.ndarray] = {}
        ties: list[Tie] = []
        state = {"sound": True}

        def watch(tensor: str, tensors: Arrays) -> None:
            step = self.steps.get(tensor)
            if step is None or not state["sound"]:
                return
            found = self._ties(step, tensors[tensor], values, errors, sample)
            if found is None:
                state["sound"] = False
            elif found:
                ties.extend(found)
                tensors[tensor] = self._exact(step, values).astype(tensors[tensor].dtype)

        tensors = file.run(given, watch)
        sound = state["sound"] and self._ends(file, tensors, values, errors)
        if sound and ties:
            self.found += ties
            self.samples.add(sample)
        return sound

    def _ends(self, file: OnnxFile, tensors: Arrays, values: dict[str, Any], errors: dict[str, Any]) -> bool:
        """Whether the outputs of the file are those of the graph but for the rounding of the last sums."""
        wanted = split(self.graph.output_values, joined_of(self.graph, values))
        for name, tensor in zip(self.graph.outputs, file.outputs, strict=True):
            found = steps(self.graph, name, tensors[tensor])
            made = self.ends[tensor].value
            error = self._error(made, values, errors) if made in values else np.zeros(1)
            slack = float(np.max(error)) + 2 * LINK * np.abs(found) + 1e-3
            if np.any(np.abs(found - wanted[name][0]) > slack + self._offset(name)):
                return False
        return True

    def _offset(self, name: str) -> float:
        """What the rounding of an offset is in steps."""
        meta = self.graph.meta.of_output(name)
        return float(np.max(2 * LINK * np.abs(meta.logit_offset) / np.asarray(meta.logit_scale)))

    def _exact(self, step: Quantised, values: dict[str, Any]) -> np.ndarray:
        """The tensor that the exact codes are in the file."""
        after = step.after
        value = self.context.values[after.base]
        rows = values[after.base][0].reshape(-1, value.channels).T.astype(np.int64)
        flat = np.ascontiguousarray(np.asarray(after(rows)).T).reshape(-1)
        return flat[after.whole_order].reshape(1, *after.shape)

    def _ties(
        self, step: Quantised, engine: np.ndarray, values: dict[str, Any], errors: dict[str, Any], sample: int
    ) -> list[Tie] | None:
        """The codes of the engine that differ by its rounding; None where one differs by more."""
        after, before = step.after, step.before
        exact = self._exact(step, values)
        if np.array_equal(exact, engine.astype(exact.dtype)):
            return []
        channels = self.context.values[before.base].channels
        ours = values[after.base][0].reshape(-1, channels)
        acc = values[before.base][0].reshape(-1, channels).T.astype(np.float64)
        error = self._error(before.base, values, errors)[0].reshape(-1, channels).T
        flat = np.empty(engine.size, np.float64)
        flat[after.whole_order] = engine.reshape(-1).astype(np.float64)
        theirs = _codes(flat.reshape(-1, channels), after.grid if after.chain else None)
        low, high = _interval(step, acc, error)
        wrong = np.argwhere(ours != theirs)
        found = []
        for place, channel in wrong:
            code = theirs[place, channel]
            if not low[channel, place] <= code <= high[channel, place]:
                return None
            distance = _distance(step, acc[channel, place], channel, code, channels)
            ends = int(ours[place, channel]), int(code)
            bound = float(error[channel, place])
            found.append(Tie(sample, step.result, int(acc[channel, place]), *ends, distance, bound))
        return found

    def _error(self, name: str, values: dict[str, Any], errors: dict[str, Any]) -> Any:
        """Bounds of an engine's error of a value, in its own integers."""
        if name not in errors:
            ops = {op.name: op for op in self.context.ops}
            errors[name] = _bound(ops.get(name), name, values, lambda n: self._error(n, values, errors))
        return errors[name]


def joined_of(graph: Graph, values: dict[str, Any]) -> np.ndarray:
    """The outputs of the graph for the sample whose inputs are in `values`."""
    given = {value.name: values[value.name] for value in graph.inputs}
    found = evaluate(graph.ops, given)
    return join(graph.output_values, {name: found[name] for name in graph.outputs})


def _bound(op: Any, name: str, values: dict[str, Any], of: Any) -> Any:
    here = np.abs(values[name]).astype(np.float64)
    if isinstance(op, Dense | Conv2d):
        x = values[op.inputs[0]]
        weights = np.clip(np.abs(op.weights.astype(np.int16)), 0, 127).astype(np.int8)
        zero = op.pad_value if isinstance(op, Conv2d) else 0
        size = np.abs(x) + abs(zero)
        more = {"weights": weights, "weight_type": "int8", "bias": np.abs(op.bias)}
        more |= {"pad_value": 0} if isinstance(op, Conv2d) else {}
        return (op.weights[0].size + 4) * U * 1.01 * msgspec.structs.replace(op, **more).ref(size)
    if isinstance(op, Add):
        return of(op.inputs[0]) + of(op.inputs[1]) + 4 * U * sum(np.abs(values[n]) for n in op.inputs)
    if isinstance(op, SumPool):
        count = op.kernel[0] * op.kernel[1]
        return here * 0 + (count + 4) * U * count * np.abs(values[op.inputs[0]]).max()
    if isinstance(op, MaxPool):
        return here * 0 + of(op.inputs[0]).max()
    if isinstance(op, Reshape):
        return of(op.inputs[0]).reshape(here.shape)
    return 4 * U * here


def _codes(numbers: np.ndarray, grid: Any) -> np.ndarray:
    if grid is None:
        return np.rint(numbers)
    return np.rint((numbers - grid.offset) / grid.scale) + grid.zero


def _interval(step: Quantised, acc: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The codes at both ends of what an engine may have computed."""
    low, high = acc - error, acc + error
    with np.errstate(all="ignore"):
        for link in step.before.chain:
            size = link.size or (lambda y, *_: np.abs(np.asarray(y, np.float64)))
            ends = [np.asarray(link(y), np.float64) for y in (low, high)]
            inner = [np.asarray(size(y, *link.columns), np.float64) for y in (low, high)]
            slack = LINK * np.maximum.reduce([*inner, np.abs(ends[0]), np.abs(ends[1])])
            low, high = np.minimum(*ends) - slack, np.maximum(*ends) + slack
            low, high = low.astype(np.float32), high.astype(np.float32)
        low, high = low - LINK * np.abs(low), high + LINK * np.abs(high)
        ends = [np.asarray(step.codes(y)) for y in (low, high)]
    return np.minimum(*ends), np.maximum(*ends)


def _distance(step: Quantised, acc: float, channel: int, code: float, channels: int) -> float:
    """How far the accumulator is from one that has the code of the engine."""

    def at(x: float) -> float:
        rows = np.full((channels, 1), x)
        with np.errstate(all="ignore"):
            y = step.codes(step.before(rows))
        return float(np.broadcast_to(y, (channels, 1))[channel, 0])

    for sign in (1.0, -1.0):
        reach = 2.0**-20
        while reach < 4 and (at(acc + sign * reach) - code) * (at(acc) - code) > 0:
            reach *= 2
        if reach >= 4:
            continue
        least, most = 0.0, reach
        for _ in range(30):
            middle = (least + most) / 2
            if (at(acc + sign * middle) - code) * (at(acc) - code) > 0:
                least = middle
            else:
                most = middle
        return most
    return float("inf")
