"""What lower() is told about its inputs: examples, types, scales and zero points."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import graph_shape
from edgeternary.frontends.torch_values import Codes
from edgeternary.ir import InputMeta, Value, parse
from edgeternary.nn.example import check_example
from edgeternary.nn.input_spec import InputSpec
from edgeternary.nn.levels import Levels

Number = TypeVar("Number", int, float)
Given = Mapping[str, Any]  # the arguments input_type, input_range, input_scale and input_zero of lower()


@dataclass(frozen=True)
class Input:
    """An input of the graph, its example (N, C, ...) and what its codes mean."""

    value: Value
    example: Tensor
    meta: InputMeta
    last: bool = False  # in torch too the channels are the last axis, (N, T, C) or (N, H, W, C)
    spec: InputSpec | None = None  # of a model that nn.convert made

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample in torch, channels first."""
        return tuple(self.example.shape[1:])

    @property
    def codes(self) -> Codes:
        order = np.arange(self.value.size) if self.last and len(self.shape) > 1 else None
        return Codes(self.value.name, self.shape, order)

    def check(self) -> None:
        """EdgeTernaryError where scales of one axis would be those of another."""
        spec = self.spec
        if spec is None or not spec.per_channel or len(self.shape) == 1:
            return
        if (self.meta.scale, self.meta.zero) != (spec.scale, spec.whole_zero):
            return  # they were given to lower(), for the channels of the graph
        axis = spec.axis % (len(self.shape) + 1)
        channels = len(self.shape) if self.last else 1
        if axis != channels:
            raise EdgeTernaryError(
                f"the input {self.value.name!r} has scales of its own for axis {axis} of the batch",
                f"the first layer takes axis {channels} as channels, and a graph has scales for these alone",
                "name the axes, InputSpec.from_data(x, layout='NTC'), or take one scale, per_channel=False",
            )

    @property
    def said(self) -> Input:
        """In the layout that the InputSpec says."""
        return self.channels_last() if self.spec and self.spec.axis == -1 else self

    def channels_last(self) -> Input:
        """The same input in the other layout: the axes of a sample are those of the graph."""
        if len(self.shape) < 2:
            return self
        shape = self.shape if len(self.shape) != 2 else (1, *self.shape)
        old = self.value
        return replace(self, value=Value(old.name, shape, old.type, old.lo, old.hi), last=True)


def read_inputs(model: nn.Module, example: Tensor | Sequence[Tensor], given: Given) -> list[Input]:
    """The inputs of `model`: "input" for one tensor; of several the names of forward()'s arguments.

    Of several, each of `given` may be a mapping by input name. EdgeTernaryError as lower().
    """
    examples = list(example) if isinstance(example, tuple | list) else [example]
    names = ["input"] if len(examples) == 1 else _arguments(model, len(examples))
    for option, content in given.items():
        unknown = set(content) - set(names) if isinstance(content, Mapping) else ()
        if unknown:
            raise EdgeTernaryError(
                f"{option} names {', '.join(map(repr, sorted(unknown)))}"[:200],
                f"the inputs are {', '.join(names)}",
                "use the names of forward()'s arguments",
            )
    specs = getattr(model, "specs", None) or [None] * len(names)  # of a model that nn.convert made
    found = [
        _input(name, tensor, _with_spec(_of(name, given), spec), spec)
        for name, tensor, spec in zip(names, examples, specs, strict=True)
    ]
    if len({len(one.example) for one in found}) > 1:
        raise EdgeTernaryError(
            "the examples have different numbers of samples",
            ", ".join(f"{one.value.name}: {len(one.example)}" for one in found),
            "give each input the same number",
        )
    return found


def _of(name: str, given: Given) -> dict[str, Any]:
    """What is given for one input; what a mapping does not name is as if it were not given."""
    plain = {"input_type": None, "input_range": None, "input_scale": 1.0, "input_zero": 0}
    return {
        option: content.get(name, plain[option]) if isinstance(content, Mapping) else content
        for option, content in given.items()
    }


def _with_spec(given: dict[str, Any], spec: InputSpec | None) -> dict[str, Any]:
    """What is given, and what an InputSpec says where nothing is."""
    if given["input_type"] is not None:
        return given
    if spec is None:
        return {**given, "input_type": "uint8"}
    found = {**given, "input_type": spec.type}
    plain = given["input_scale"] == 1.0 and given["input_zero"] == 0
    if plain and spec.whole_zero is not None:
        found |= {"input_scale": spec.scale, "input_zero": spec.whole_zero}
    return found


def _input(name: str, example: object, given: Given, spec: InputSpec | None) -> Input:
    kind = parse(given["input_type"])
    lo, hi = given["input_range"] or (kind.lo, kind.hi)
    tensor = check_example(example, Levels(kind.name, lo, hi, 2 if kind.name == "bipolar" else 1))
    value = Value(name, graph_shape(tuple(tensor.shape[1:])), kind, lo, hi)
    scale, zero = one_or_each(given["input_scale"], float), one_or_each(given["input_zero"], int)
    return Input(value, tensor, InputMeta(scale=scale, zero=zero), spec=spec)


def _arguments(model: nn.Module, count: int) -> list[str]:
    """The names of the first `count` positional arguments of forward()."""
    names: list[str] = []
    for parameter in inspect.signature(model.forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}{i}" for i in range(count - len(names))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    if len(names) < count or not count:
        raise EdgeTernaryError(
            f"the example is a tuple of {count} tensors",
            f"forward() takes {len(names)} arguments",
            "give one tensor for each argument of forward()",
        )
    return names[:count]


def one_or_each(
    given: float | Sequence[float], number: Callable[[float], Number]
) -> Number | tuple[Number, ...]:
    """One number, or a tuple with one for each channel of a list, array or tensor; each a `number`."""
    plain: Any = given.tolist() if hasattr(given, "tolist") else given
    each = list(plain) if isinstance(plain, Sequence) and not isinstance(plain, str) else [plain]
    try:
        found = tuple(number(n) for n in each)
        same = all(a == b for a, b in zip(found, each, strict=True))
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise EdgeTernaryError(
            f"{str(given)[:80]} is no {number.__name__}, nor one for each channel",
            "input_scale is made of numbers, input_zero of integers",
            "give one number, or a list with one for each channel of the input",
        )
    return found if isinstance(plain, Sequence) else found[0]
