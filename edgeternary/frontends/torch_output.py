"""The end of a lowered model: integer values of the graph and the one scale of the logits of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_values import Codes, Context, Lowered, Pending, column
from edgeternary.ir import Op, OutputMeta, State, Value
from edgeternary.ops import Reshape
from edgeternary.passes.steps import CHUNK, WHOLE_INTERVAL_LIMIT


@dataclass(frozen=True)
class Ends:
    """The outputs of a lowered model by name, with the ops and states, in which they have these names.

    as_torch: outputs whose elements lie in torch's own order, not with the channels last.
    """

    ops: tuple[Op, ...]
    states: tuple[State, ...]
    metas: dict[str, OutputMeta]
    as_torch: tuple[str, ...] = ()


def named_leaves(answer: Any) -> dict[str, Any]:
    """The leaves of what forward() returns, by name: keys of a dict, output0, output1, ... of a tuple."""
    found = {}
    for path, leaf in pytree.tree_flatten_with_path(answer)[0]:
        keys = [str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", "")))) for key in path]
        first = [f"output{keys[0]}", *keys[1:]] if keys and keys[0].isdigit() else keys
        found[".".join(first)] = leaf
    return found


def ends(c: Context, answer: Any, labels: Sequence[str] | Mapping[str, Sequence[str]]) -> Ends:
    """The outputs of a model whose forward() gives `answer`, a structure of lowered values.

    A single one keeps the name of its layer. EdgeTernaryError as `output`, and for labels of no output.
    """
    leaves = named_leaves(answer)
    known = {name: labels.get(name, ()) if isinstance(labels, Mapping) else labels for name in leaves}
    several = len(leaves) > 1
    unknown = set(labels) - set(leaves) if isinstance(labels, Mapping) else set()
    if unknown or (several and labels and not isinstance(labels, Mapping)):
        raise EdgeTernaryError(
            f"the labels are given for {', '.join(sorted(unknown)) or 'no output'}"[:200],
            f"the outputs are {', '.join(leaves)}",
            "give a mapping from the name of an output to its labels",
        )
    found = {name: _end(c, leaf, name if several else "") for name, leaf in leaves.items()}
    metas = {n: OutputMeta(logit_scale=one[1], labels=tuple(known[n])) for n, one in found.items()}
    if not several:
        ((value, _, as_torch),) = found.values()
        only = dict(zip([value], metas.values()))
        return Ends(tuple(c.ops), tuple(c.states), only, (value,) if as_torch else ())
    names = _named(c, {name: one[0] for name, one in found.items()}, metas)
    placed = [new for new, one in zip(names.metas, found.values(), strict=True) if one[2]]
    return replace(names, as_torch=tuple(placed))


def _end(c: Context, leaf: Lowered, name: str) -> tuple[str, float, bool]:
    try:
        return output(c, leaf)
    except EdgeTernaryError as error:
        if not name:
            raise
        raise EdgeTernaryError(f"output {name!r}: {error.what}", error.why, error.remedy) from error


def _named(c: Context, values: dict[str, str], metas: dict[str, OutputMeta]) -> Ends:
    """Each output's layer takes its name; a value that is an output twice, or no layer's, is shown again."""
    made, names = {op.name for op in c.ops}, dict[str, str]()
    again: list[tuple[str, str]] = []
    ends: dict[str, OutputMeta] = {}
    for wanted, value in values.items():
        taken = (set(c.values) - {value}) | set(ends)
        name = next(n for n in _numbered(wanted) if n not in taken)
        ends[name] = metas[wanted]
        if value in made and value not in names:
            names[value] = name
        else:
            again.append((name, value))
    ops = [
        msgspec.structs.replace(
            op, name=names.get(op.name, op.name), inputs=tuple(names.get(n, n) for n in op.inputs)
        )
        for op in c.ops
    ]
    ops += [
        Reshape(name=name, inputs=(names.get(value, value),), shape=c.values[value].shape)
        for name, value in again
    ]
    states = tuple(replace(state, next=names.get(state.next, state.next)) for state in c.states)
    return Ends(tuple(ops), states, ends)


def _numbered(name: str) -> Iterator[str]:
    yield name
    count = 2
    while True:
        yield f"{name}#{count}"
        count += 1


def output(c: Context, result: Lowered) -> tuple[str, float, bool]:
    """Name of the output value, its logit scale, and whether its elements lie in torch's own order.

    The chain after it must be one positive factor.

    Torch's logits are float32(integer) * float32(scale) for every integer that the value can be, which is
    tried for each of them.
    """
    base = result.base if isinstance(result, Pending) else result
    if isinstance(base, Codes) and (base.order is None or _as_torch(base)):
        scale = _scale(result, c.values[base.name]) if isinstance(result, Pending) else 1.0
        if scale is not None:
            return _named_as_torch(c, base), scale, base.order is not None
        assert isinstance(result, Pending)
        raise EdgeTernaryError(
            f"the model ends in the float layer {result.chain[-1].layer!r}",
            "the output must be integers times one scale that all classes share, and nothing after it",
            "end the model with edgeternary.nn.Output, or with an Activation",
        )
    raise EdgeTernaryError(
        "the model's output is no integer value that a graph can name",
        "it is a constant, or a map whose elements lie neither as in torch nor with the channels last",
        "end the model with edgeternary.nn.Output, and reshape or permute its result after the network",
    )


def _as_torch(x: Codes) -> bool:
    return x.order is not None and np.array_equal(x.order, np.arange(x.order.size))


def _named_as_torch(c: Context, x: Codes) -> str:
    """The value in torch's own shape where its elements lie in torch's order."""
    if x.order is None:
        return x.name
    shape = (*[1] * (3 - len(x.shape)), *x.shape) if len(x.shape) < 4 else (-1, *x.shape[-2:])
    shape = (x.order.size // math.prod(shape[1:]), *shape[1:])
    if c.values[x.name].shape == shape:
        return x.name
    return c.emit(Reshape(name=c.name(), inputs=(x.name,), shape=shape), x.shape, x.order).name


def _scale(result: Pending, value: Value) -> float | None:
    """The factor that the chain multiplies every integer of its base by, or None."""
    channels, rank = result.base.channels, len(result.base.shape)

    def logits(x: np.ndarray) -> Tensor | None:
        batch = column(np.broadcast_to(x, (channels, len(x))), rank)
        y = result(batch)
        return y.reshape(len(x), channels).double() if y.shape == batch.shape else None

    one = result(column(np.ones((channels, 1), np.int64), rank))
    scale = one.double().flatten()[0].float()
    if not 0 < float(scale) < float("inf"):
        return None
    width = max(1, CHUNK // channels)
    if len(result.chain) == 1 and result.chain[0].factor:
        ends = [np.unique(np.linspace(value.lo, value.hi, min(width, 1024)).astype(np.int64))]
    elif channels * (value.hi - value.lo + 1) <= WHOLE_INTERVAL_LIMIT:
        starts = range(value.lo, value.hi + 1, width)
        ends = [np.arange(a, min(a + width, value.hi + 1)) for a in starts]
    else:
        return None
    for x in ends:
        y = logits(x)
        wanted = (torch.from_numpy(x).float() * scale).double()[:, None]
        if y is None or not torch.equal(y, wanted.expand_as(y)):
            return None
    return float(scale)
