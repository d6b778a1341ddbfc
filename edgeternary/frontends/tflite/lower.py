"""From the records of a file to a graph."""

import math
from collections.abc import Callable

from edgeternary.errors import EdgeTernaryError, nearest
from edgeternary.frontends.imported import Cut, Imported, Refusals, Row
from edgeternary.frontends.tflite import joins, pools, shapes, sums
from edgeternary.frontends.tflite.net import Missing, Net, refuse
from edgeternary.frontends.tflite.records import Model, Operator, Tensor
from edgeternary.frontends.tflite.unary import UNARY
from edgeternary.ir import Graph, Value, parse
from edgeternary.ir.meta import InputMeta, Meta, OutputMeta
from edgeternary.ops import Reshape

LOWER: dict[str, Callable[[Net, Operator], str]] = {
    "CONV_2D": sums.conv_2d, "DEPTHWISE_CONV_2D": sums.depthwise, "FULLY_CONNECTED": sums.fully_connected,
    "AVERAGE_POOL_2D": pools.average_pool, "MAX_POOL_2D": pools.max_pool, "MEAN": pools.mean,
    "ADD": joins.add, "SUB": joins.add, "MUL": joins.mul,
    "RESHAPE": shapes.reshape, "SQUEEZE": shapes.reshape, "EXPAND_DIMS": shapes.reshape,
    "TRANSPOSE": shapes.transpose, "CONCATENATION": shapes.concatenation, "SLICE": shapes.slices,
    "STRIDED_SLICE": shapes.strided_slice, "SPLIT": shapes.split, "SPLIT_V": shapes.split,
    "PAD": shapes.pad, "PADV2": shapes.pad, **UNARY,
}  # fmt: skip
LAST = {"SOFTMAX": "a softmax", "LOG_SOFTMAX": "a log softmax"}
LESS = "codes are those of INT8, 128 less"


def lower(model: Model, name: str, file: str, cut: Cut) -> Imported:
    """The graph of a file, cut at names; EdgeTernaryError lists every operator that cannot be kept."""
    _check_integers(model, file)
    notes: list[str] = []
    dropped: dict[int, str] = {}
    outputs = _ends(model, cut.outputs) or [_last(model, i, dropped, notes) for i in model.outputs]
    inputs = _ends(model, cut.inputs) or [_first(model, i, dropped, notes) for i in model.inputs]
    needed = _needed(model, inputs, outputs)
    refusals = Refusals(file)
    net = Net(model)
    for index in inputs:
        tensor = model.tensors[index]
        with refusals.of(tensor.name):
            _input(net, tensor)
        if tensor.name in refusals.errors:
            net.lost.add(index)
    rows: list[Row] = []
    for operator in model.operators:
        if operator.index not in needed:
            rows.append(
                Row(operator.name, operator.type, note=dropped.get(operator.index, "outside of the cut"))
            )
            continue
        with refusals.of(operator.name):
            try:
                rows.append(_row(net, operator))
            except Missing:
                net.lost |= set(operator.outputs)
        if operator.name in refusals.errors:
            net.lost |= set(operator.outputs)
    with refusals.of(file):
        names = [_shown(net, model.tensors[index]) for index in outputs] if not refusals.errors else []
    refusals.check()
    graph = Graph(
        name,
        [net.values[net.made[i]] for i in inputs],
        net.ops,
        names,
        meta=_meta(model, inputs, outputs, net, names),
    )
    return Imported(graph, rows, notes)


def _check_integers(model: Model, file: str) -> None:
    """EdgeTernaryError for a file that computes with floats alone."""
    types = {model.tensors[i].type for operator in model.operators for i in operator.outputs}
    if types == {"FLOAT32"}:
        raise EdgeTernaryError(
            f"{file} is a float model",
            f"none of its {len(model.operators)} operators computes with integer codes",
            "convert it with full-integer quantization: TFLiteConverter with a representative dataset, "
            "TFLITE_BUILTINS_INT8, and int8 as the type of inputs and outputs",
        )


def _ends(model: Model, names: tuple[str, ...]) -> list[int]:
    """Indices of the tensors that a cut names."""
    known = {tensor.name: tensor.index for tensor in model.tensors if tensor.data is None}
    full = {tensor.full_name: tensor.index for tensor in model.tensors if tensor.data is None}
    for name in names:
        if name not in known and name not in full:
            raise EdgeTernaryError(
                f"the file has no operator or tensor {name[:60]!r}",
                f"it has {', '.join(list(known)[:20])}{', ...' if len(known) > 20 else ''}",
                nearest(name, known),
            )
    return [known[name] if name in known else full[name] for name in names]


def _maker(model: Model, tensor: int) -> Operator | None:
    return next((operator for operator in model.operators if tensor in operator.outputs), None)


def _last(model: Model, tensor: int, dropped: dict[int, str], notes: list[str]) -> int:
    """The tensor before a final softmax or dequantize, or before one more code for uint8."""
    maker = _maker(model, tensor)
    while maker is not None and maker.inputs and maker.inputs[0] >= 0:
        if maker.type == "QUANTIZE" and _same_codes(model, maker.inputs[0], tensor):
            note = f"a quantize to UINT8 at the end is left off: {LESS}"
        elif maker.type == "DEQUANTIZE":
            note = "a dequantize at the end is left off: its scale and zero point are the output's"
        elif maker.type in LAST:
            note = f"{LAST[maker.type]} at the end is left off: the largest element stays the largest"
        else:
            break
        dropped[maker.index] = ""
        notes.append(f"{maker.name}: {note}")
        tensor = maker.inputs[0]
        maker = _maker(model, tensor)
    return tensor


def _first(model: Model, tensor: int, dropped: dict[int, str], notes: list[str]) -> int:
    """The tensor after a first quantize of floats, or of codes of uint8."""
    readers = [operator for operator in model.operators if tensor in operator.inputs]
    if len(readers) != 1 or readers[0].type != "QUANTIZE":
        return tensor
    if model.tensors[tensor].type == "FLOAT32":
        note = "a quantize at the start is left off: its scale and zero point are the input's"
    elif _same_codes(model, readers[0].outputs[0], tensor):
        note = f"a quantize of UINT8 at the start is left off: {LESS}"
    else:
        return tensor
    dropped[readers[0].index] = ""
    notes.append(f"{readers[0].name}: {note}")
    return readers[0].outputs[0]


def _same_codes(model: Model, signed: int, unsigned: int) -> bool:
    """Whether two tensors are the same numbers as int8 and as uint8."""
    a, b = model.tensors[signed], model.tensors[unsigned]
    if (a.type, b.type) != ("INT8", "UINT8") or a.scales.size != 1 or b.scales.size != 1:
        return False
    return bool(a.scale == b.scale) and a.zero + 128 == b.zero


def _needed(model: Model, inputs: list[int], outputs: list[int]) -> set[int]:
    """Indices of the operators between the ends; they must be in an order in which they can run."""
    wanted, needed = set(outputs) - set(inputs), set[int]()
    for operator in reversed(model.operators):
        if wanted & set(operator.outputs):
            needed.add(operator.index)
            wanted |= {i for i in operator.inputs if i >= 0 and i not in inputs}
    return needed


def _input(net: Net, tensor: Tensor) -> None:
    shape = tensor.shape[1:] if len(tensor.shape) > 1 else tensor.shape
    if (len(tensor.shape) > 1 and tensor.shape[0] != 1) or not shape or len(shape) > 4:
        raise EdgeTernaryError(
            f"input {tensor.name!r} has the shape {list(tensor.shape)}",
            "a graph takes one sample at a time",
            "convert the model with a batch size of 1",
        )
    lo, hi = tensor.ends
    _ = tensor.scale
    value = Value(_port(tensor.name, net.values), shape, parse(f"int{tensor.bits}"), lo, hi)
    value.check()
    net.values[value.name] = value
    net.made[tensor.index] = value.name


def _port(name: str, taken: object) -> str:
    """A short name for an input: what the file calls it, without the converter's decoration."""
    plain = name.split(":")[0].removeprefix("serving_default_")
    return plain if plain and plain not in taken else name  # type: ignore[operator]


def _row(net: Net, operator: Operator) -> Row:
    before = len(net.ops)
    action = LOWER.get(operator.type)
    if action is None:
        raise refuse(
            operator, "there is no exact form of this type", f"there is of {', '.join(sorted(LOWER))}"
        )
    note = action(net, operator)
    made = net.values[net.made[operator.outputs[0]]]
    became = ", ".join(op.name for op in net.ops[before:])
    return Row(operator.name, operator.type, made.shape, made.type.name, became, note)


def _shown(net: Net, tensor: Tensor) -> str:
    """The name of an op whose value is an output of the file."""
    name = net.made.get(tensor.index)
    if name is None:
        raise EdgeTernaryError(f"the output {tensor.name!r} is not computed", "no operator makes it")
    made = {op.name for op in net.ops}
    value = net.values[name]
    if name in made:
        shape = tensor.shape[1:] if len(tensor.shape) > 1 and tensor.shape[0] == 1 else tensor.shape
        if value.shape == shape or math.prod(shape) != value.size or not 1 <= len(shape) <= 4:
            return name
        value_shape = shape
    else:
        value_shape = value.shape
    number, base = 2, "output"
    shown = base
    while shown in net.values:
        shown, number = f"{base}_{number}", number + 1
    return net.add(Reshape(name=shown, inputs=(name,), shape=value_shape)).name


def _meta(model: Model, inputs: list[int], outputs: list[int], net: Net, names: list[str]) -> Meta:
    info = {
        "source": "tflite",
        "tflite_inputs": " ".join(str(i) for i in inputs),
        "tflite_outputs": " ".join(str(i) for i in outputs),
    }
    ins = [(net.made[i], model.tensors[i]) for i in inputs]
    outs = [(name, model.tensors[i]) for name, i in zip(names, outputs, strict=True)]
    fields: dict[str, object] = {}
    if len(ins) == 1:
        fields |= {"input_scale": float(ins[0][1].scale), "input_zero": ins[0][1].zero}
    else:
        fields["inputs"] = {n: InputMeta(scale=float(t.scale), zero=t.zero) for n, t in ins}
    if len(outs) == 1:
        fields |= {"logit_scale": float(outs[0][1].scale), "logit_zero": outs[0][1].zero}
    else:
        fields["outputs"] = {n: OutputMeta(logit_scale=float(t.scale), logit_zero=t.zero) for n, t in outs}
    return Meta(info=info, **fields)  # type: ignore[arg-type]
