"""The integer graph: inputs, ops in topological order, outputs, and states between steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from edgeternary import late
from edgeternary.errors import EdgeTernaryError, nearest
from edgeternary.ir.meta import Meta
from edgeternary.ir.names import check_name
from edgeternary.ir.op import Op
from edgeternary.ir.ports import only
from edgeternary.ir.value import State, Value
from edgeternary.ir.verify import infer_values


@dataclass(frozen=True, eq=False, init=False)
class Graph:
    """An integer graph. Building one checks it: shapes, types, intervals, overflow, order and names.

    name     of the model
    inputs   the input values, raw integer codes; a single one need not be a tuple
    ops      layers in topological order; an op's name is the name of its value
    outputs  names of the values that are the answer; a single one need not be a tuple
    states   tensors that live between the steps of a sample
    """

    name: str
    inputs: tuple[Value, ...]
    ops: tuple[Op, ...]
    outputs: tuple[str, ...]
    states: tuple[State, ...]
    meta: Meta

    def __init__(
        self,
        name: str,
        inputs: Value | Sequence[Value],
        ops: Sequence[Op],
        outputs: str | Sequence[str],
        states: Sequence[State] = (),
        meta: Meta | None = None,
    ) -> None:
        fields = {
            "name": name,
            "inputs": (inputs,) if isinstance(inputs, Value) else tuple(inputs),
            "ops": tuple(ops),
            "outputs": (outputs,) if isinstance(outputs, str) else tuple(outputs),
            "states": tuple(states),
            "meta": Meta() if meta is None else meta,
        }
        for field, content in fields.items():
            object.__setattr__(self, field, content)
        check_name(name, "model")
        _ = self.values

    @property
    def input(self) -> Value:
        """The one input; EdgeTernaryError for a graph with several."""
        return only(self.inputs, self.name, "inputs")

    @property
    def output(self) -> str:
        """The name of the one output; EdgeTernaryError for a graph with several."""
        return only(self.outputs, self.name, "outputs")

    @property
    def several(self) -> bool:
        """Whether there is more than one input or more than one output."""
        return len(self.inputs) > 1 or len(self.outputs) > 1

    def check_single(self, what: str, remedy: str) -> None:
        """EdgeTernaryError for several inputs or outputs, where `what` takes one of each."""
        if self.several:
            counts = f"it has {len(self.inputs)} inputs and {len(self.outputs)} outputs"
            raise EdgeTernaryError(
                f"{what} is not available for model {self.name!r}",
                f"{counts}, and it takes one of each",
                remedy,
            )

    @cached_property
    def values(self) -> dict[str, Value]:
        """Every value by name: the inputs, the states, then one for each op, as inferred."""
        values = infer_values(self.name, self.inputs, self.states, self.ops, self.outputs)
        self.meta.check(self.inputs, [values[name] for name in self.outputs], self.name)
        return values

    @property
    def output_value(self) -> Value:
        return self.values[self.output]

    @property
    def output_values(self) -> tuple[Value, ...]:
        return tuple(self.values[name] for name in self.outputs)

    @cached_property
    def shown(self) -> frozenset[str]:
        """The names of values that something outside the ops reads: outputs, and what states become."""
        return frozenset((*self.outputs, *(state.next for state in self.states)))

    def op(self, name: str) -> Op:
        for op in self.ops:
            if op.name == name:
                return op
        names = [op.name for op in self.ops]
        raise EdgeTernaryError(
            f"model {self.name!r} has no layer {name[:40]!r}",
            f"its layers are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}",
            nearest(name, names),
        )

    def consumers(self, name: str) -> list[Op]:
        """Ops that read the value `name`."""
        return list(self._readers.get(name, ()))

    @cached_property
    def _readers(self) -> dict[str, list[Op]]:
        found: dict[str, list[Op]] = {}
        for op in self.ops:
            for name in dict.fromkeys(op.inputs):
                found.setdefault(name, []).append(op)
        return found

    def ins(self, op: Op) -> list[Value]:
        return [self.values[name] for name in op.inputs]

    def macs(self) -> int:
        """Multiply-accumulates of one inference (of one step, with states)."""
        return sum(op.macs(self.ins(op)) for op in self.ops)

    def run(
        self,
        inputs: Any,
        on: str = "numpy",
        *,
        taps: bool = False,
        options: Mapping[str, object] | None = None,
        **more: object,
    ) -> Any:
        """`edgeternary.run.run` on this graph: codes (samples, *shape) in, a Result (outputs, stats) out.

        inputs   one array; of several inputs a tuple of arrays in order, or a mapping by name

        on       numpy, host, cortex-m4, hdl, ...; options  of that executor, as a mapping or by name
        """
        chosen = {**options, **more} if isinstance(options, Mapping) else options or more
        return late.run(self, inputs, on=on, taps=taps, options=chosen)

    def with_ops(self, ops: Sequence[Op], outputs: str | Sequence[str] | None = None) -> Graph:
        """The same model with other ops (and outputs), checked again."""
        named = (outputs,) if isinstance(outputs, str) else tuple(outputs or self.outputs)
        return replace(self, ops=tuple(ops), outputs=named)
