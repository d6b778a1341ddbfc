"""Operators that move elements and compute nothing: reshapes, concatenation, slices, padding."""

import math

import numpy as np

from edgeternary.frontends.tflite.net import Net, activation, refuse
from edgeternary.frontends.tflite.records import Operator, Tensor
from edgeternary.ir import Value
from edgeternary.ops import Concat, Conv2d, Slice

FREE = "the same elements in the same order"
MOVED = "raw codes"


def reshape(net: Net, operator: Operator) -> str:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: row-major order, as in the graph, so that nothing is left of them."""
    out = net.output(operator)
    net.finish(operator, out, net.value(operator, net.tensor(operator, 0)))
    return FREE


def transpose(net: Net, operator: Operator) -> str:
    """TRANSPOSE that moves axes of one element only."""
    tensor = net.tensor(operator, 0)
    order = net.constant(operator, 1, ("INT32",)).reshape(-1).tolist()
    if sorted(order) != list(range(len(tensor.shape))):
        raise refuse(operator, f"its order is {order[:8]}")
    moved = [axis for axis in order if tensor.shape[axis] > 1]
    if moved != sorted(moved):
        raise refuse(
            operator,
            f"it moves the elements of {list(tensor.shape)} by the order {order}",
            "a graph keeps rows, columns, channels in this order; cut the model at this operator",
        )
    net.finish(operator, net.output(operator), net.value(operator, tensor))
    return FREE


def _parts(shape: tuple[int, ...], axis: int) -> tuple[int, int]:
    """(outer, inner): elements before and after an axis."""
    return math.prod(shape[:axis]), math.prod(shape[axis + 1 :])


def concatenation(net: Net, operator: Operator) -> str:
    """CONCATENATION along any axis of values with the output's scale, as the reference demands."""
    out = net.output(operator)
    tensors = [net.tensor(operator, i) for i in range(len(operator.inputs))]
    rank = len(out.shape)
    axis = int(operator.options.get("Axis", 0))
    if not -rank <= axis < rank or any(len(t.shape) != rank for t in tensors) or not tensors:
        raise refuse(operator, f"its axis is {axis}, its output {list(out.shape)}")
    if activation(operator) != "NONE":
        raise refuse(
            operator, f"its fused activation is {activation(operator)}", "the reference refuses it too"
        )
    for tensor in tensors:
        if (tensor.scale, tensor.zero, tensor.type) != (out.scale, out.zero, out.type):
            raise refuse(
                operator,
                f"the scale or zero point of {tensor.name!r} is not the output's",
                "the reference refuses this too; put a QUANTIZE before it",
            )
    axis %= rank
    outer, _ = _parts(out.shape, axis)
    parts = [net.shaped(operator, t, (outer, math.prod(t.shape) // outer)) for t in tensors]
    names = tuple(part.name for part in parts)
    y = net.add(Concat(name=net.name(operator), inputs=names)) if len(names) > 1 else parts[0]
    net.finish(operator, out, y)
    return MOVED


def _range(
    net: Net, operator: Operator, value: Value, shape: tuple[int, ...], axis: int, ends: tuple[int, int]
) -> tuple[Value, tuple[int, ...]]:
    """Indices ends[0] to ends[1] - 1 of an axis of `shape`, and the shape that is left."""
    left = (*shape[:axis], ends[1] - ends[0], *shape[axis + 1 :])
    if ends == (0, shape[axis]):
        return value, left
    outer, inner = _parts(shape, axis)
    flat = (outer, shape[axis] * inner)
    x = value if value.shape == flat else net.reshape(operator, value, flat)
    y = net.add(Slice(name=net.name(operator), inputs=(x.name,), start=ends[0] * inner, stop=ends[1] * inner))
    return y, left


def _cut(net: Net, operator: Operator, begins: list[int], ends: list[int]) -> str:
    tensor, out = net.tensor(operator, 0), net.output(operator)
    value, shape = net.value(operator, tensor), tensor.shape
    for axis, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        if not 0 <= begin < end <= shape[axis]:
            raise refuse(operator, f"it takes {begin} to {end} of an axis of {shape[axis]}")
        value, shape = _range(net, operator, value, shape, axis, (begin, end))
    net.finish(operator, out, value)
    return MOVED


def _numbers(net: Net, operator: Operator, position: int) -> list[int]:
    found = net.constant(operator, position, ("INT32", "INT64")).reshape(-1).tolist()
    if len(found) != len(net.tensor(operator, 0).shape):
        raise refuse(operator, f"its input {position} has {len(found)} numbers")
    return [int(n) for n in found]


def slices(net: Net, operator: Operator) -> str:
    """SLICE: begin and size of each axis, a size of -1 is all that is left."""
    shape = net.tensor(operator, 0).shape
    begins, sizes = _numbers(net, operator, 1), _numbers(net, operator, 2)
    ends = [n if size == -1 else begin + size for n, begin, size in zip(shape, begins, sizes, strict=True)]
    return _cut(net, operator, begins, ends)


def strided_slice(net: Net, operator: Operator) -> str:
    """STRIDED_SLICE with steps of 1 and no new axes."""
    shape = net.tensor(operator, 0).shape
    begins, ends, steps = (_numbers(net, operator, i) for i in (1, 2, 3))
    masks = {name: int(operator.options.get(f"{name}Mask", 0)) for name in ("Begin", "End", "ShrinkAxis")}
    if any(operator.options.get(name) for name in ("EllipsisMask", "NewAxisMask", "Offset")):
        raise refuse(operator, "it has an ellipsis, a new axis or offsets", "write begin, end and steps out")
    for axis, n in enumerate(shape):
        shrunk = masks["ShrinkAxis"] >> axis & 1
        if steps[axis] != 1:
            raise refuse(operator, f"its step along axis {axis} is {steps[axis]}", "only steps of 1 are kept")
        begin = begins[axis] + n * (begins[axis] < 0)
        end = ends[axis] + n * (ends[axis] < 0)
        begins[axis] = 0 if masks["Begin"] >> axis & 1 and not shrunk else begin
        ends[axis] = n if masks["End"] >> axis & 1 else min(end, n)
        if shrunk:
            ends[axis] = begins[axis] + 1
    return _cut(net, operator, begins, ends)


def split(net: Net, operator: Operator) -> str:
    """SPLIT into equal parts along an axis, and SPLIT_V into given ones."""
    whole = operator.type == "SPLIT"
    position = 1 if whole else 0
    tensor = net.tensor(operator, position)
    axis = int(net.constant(operator, 0 if whole else 2, ("INT32",)).reshape(-1)[0])
    rank, count = len(tensor.shape), len(operator.outputs)
    if not -rank <= axis < rank:
        raise refuse(operator, f"its axis is {axis}")
    n = tensor.shape[axis]
    sizes = [n // count] * count if whole else net.constant(operator, 1, ("INT32",)).reshape(-1).tolist()
    if len(sizes) != count or sum(sizes) != n or min(sizes) < 1:
        raise refuse(operator, f"its parts {sizes[:8]} do not make up an axis of {n}")
    start = 0
    for index, size in zip(operator.outputs, sizes, strict=True):
        value = net.value(operator, tensor)
        value, _ = _range(net, operator, value, tensor.shape, axis % rank, (start, start + int(size)))
        net.finish(operator, net.model.tensors[index], value)
        start += int(size)
    return MOVED


def pad(net: Net, operator: Operator) -> str:
    """PAD and PADV2 of rows and columns, as a depthwise convolution by 1 with that padding."""
    tensor, out = net.tensor(operator, 0), net.output(operator)
    x = net.image(operator, tensor)
    pads = net.constant(operator, 1, ("INT32", "INT64"))
    if pads.shape != (4, 2) or pads.min() < 0 or pads.max() > 1 << 15 or pads[0].any() or pads[3].any():
        raise refuse(operator, f"its paddings are {pads.tolist()}"[:120], "pad rows and columns only")
    code = _pad_code(net, operator, out)
    (top, bottom), (left, right) = pads[1].tolist(), pads[2].tolist()
    acc = net.add(
        Conv2d(
            name=net.name(operator), inputs=(x.name,), weights=np.ones((x.channels, 1, 1, 1), np.int8),
            weight_type="ternary", bias=np.zeros(x.channels, np.int32), pad=(top, left, bottom, right),
            pad_value=code, groups=x.channels,
        )
    )  # fmt: skip
    y = net.shifted(operator, acc, 0, out.ends, f"int{out.bits}")
    net.finish(operator, out, y)
    return f"{MOVED}, filled with {code}"


def _pad_code(net: Net, operator: Operator, out: Tensor) -> int:
    if operator.type == "PADV2":
        given = net.constant(operator, 2, ("INT8", "INT16")).reshape(-1)
        if given.size != 1:
            raise refuse(operator, f"it fills with {given.size} values")
        return int(given[0])
    return out.zero
