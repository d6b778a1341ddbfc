"""The integer graph: one input, ops in topological order, one output, and states between steps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary import late
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.meta import Meta
from edgeternary.ir.names import check_name
from edgeternary.ir.op import Op
from edgeternary.ir.value import State, Value
from edgeternary.ir.verify import infer_values


@dataclass(frozen=True, eq=False)
class Graph:
    """An integer graph. Building one checks it: shapes, types, intervals, overflow, order and names.

    name    of the model
    input   the one input value, raw integer codes
    ops     layers in topological order; an op's name is the name of its value
    output  name of the value that is the answer
    states  tensors that live between the steps of a sample
    """

    name: str
    input: Value
    ops: tuple[Op, ...]
    output: str
    states: tuple[State, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __post_init__(self) -> None:
        check_name(self.name, "model")
        _ = self.values

    @cached_property
    def values(self) -> dict[str, Value]:
        """Every value by name: the input, the states, then one for each op, as inferred."""
        values = infer_values(self.name, self.input, self.states, self.ops, self.output)
        self.meta.check(self.input, self.name)
        return values

    @property
    def output_value(self) -> Value:
        return self.values[self.output]

    def op(self, name: str) -> Op:
        for op in self.ops:
            if op.name == name:
                return op
        names = [op.name for op in self.ops]
        near = difflib.get_close_matches(name, names, 1, 0.4)
        raise EdgeTernaryError(
            f"model {self.name!r} has no layer {name[:40]!r}",
            f"its layers are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}",
            f"did you mean {near[0]}?" if near else "choose one of them",
        )

    def consumers(self, name: str) -> list[Op]:
        """Ops that read the value `name`."""
        return [op for op in self.ops if name in op.inputs]

    def ins(self, op: Op) -> list[Value]:
        return [self.values[name] for name in op.inputs]

    def macs(self) -> int:
        """Multiply-accumulates of one inference (of one step, with states)."""
        return sum(op.macs(self.ins(op)) for op in self.ops)

    def run(
        self,
        inputs: NDArray[np.integer],
        on: str = "numpy",
        *,
        taps: bool = False,
        options: Mapping[str, object] | None = None,
        **more: object,
    ) -> Any:
        """`edgeternary.run.run` on this graph: codes (samples, *shape) in, a Result (outputs, stats) out.

        on       numpy, host, cortex-m4, hdl, ...; options  of that executor, as a mapping or by name
        """
        chosen = {**options, **more} if isinstance(options, Mapping) else options or more
        return late.run(self, inputs, on=on, taps=taps, options=chosen)

    def with_ops(self, ops: Sequence[Op], output: str | None = None) -> Graph:
        """The same model with other ops (and output), checked again."""
        return replace(self, ops=tuple(ops), output=output or self.output)
