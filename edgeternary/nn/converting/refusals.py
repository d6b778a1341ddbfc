"""What is nearest to layers and functions that cannot be converted."""

from __future__ import annotations

from collections.abc import Callable

from torch import fx, nn

from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.report import Refusal
from edgeternary.nn.converting.tracer import CALLS, WHERE

PLAIN = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)

_NORM = (
    "it divides by statistics of each sample, which no integer constant can stand for",
    "use a BatchNorm, whose statistics are constants after training",
)
_LOOP = (
    "its state runs through floats from step to step",
    "use a temporal convolution (Conv1d, edgeternary.nn.TemporalBlock), or the gates of nn.MatMulFreeLM",
)
_ATTENTION = (
    "attention multiplies activations by each other and divides by a sum of exponentials",
    "use convolutions, or a gate: x * sigmoid(layer(x))",
)
LAYERS: dict[str, tuple[str, str]] = {
    "LayerNorm": _NORM,
    "GroupNorm": _NORM,
    "InstanceNorm1d": _NORM,
    "InstanceNorm2d": _NORM,
    "RMSNorm": _NORM,
    "LocalResponseNorm": _NORM,
    "GRU": _LOOP,
    "LSTM": _LOOP,
    "RNN": _LOOP,
    "GRUCell": _LOOP,
    "LSTMCell": _LOOP,
    "RNNCell": _LOOP,
    "MultiheadAttention": _ATTENTION,
    "TransformerEncoderLayer": _ATTENTION,
    "TransformerEncoder": _ATTENTION,
    "Transformer": _ATTENTION,
    "TransformerDecoder": _ATTENTION,
    "TransformerDecoderLayer": _ATTENTION,
    "Embedding": (
        "its input is a symbol, and a converted network takes numbers",
        "give one-hot codes to a Linear",
    ),
    "Conv3d": ("a graph has maps of two axes", "use Conv2d on frames, with time in the channels"),
    "MaxPool3d": ("a graph has maps of two axes", "use MaxPool2d"),
    "BatchNorm3d": ("a graph has maps of two axes", "use BatchNorm2d"),
    "MaxUnpool2d": ("it reads the places of maxima", "use Upsample"),
    "PixelShuffle": ("it moves channels into the map", "use Upsample and a convolution"),
    "PixelUnshuffle": ("it moves the map into channels", "use a convolution with a stride"),
    "ChannelShuffle": ("it moves channels", "use a convolution of size 1"),
    "Bilinear": ("it multiplies activations by each other", "join both inputs (torch.cat) and use a Linear"),
    "GLU": ("its halves are one call here", "write a, b = x.chunk(2, 1), then a * torch.sigmoid(b)"),
    "FractionalMaxPool2d": ("its windows are drawn at random", "use MaxPool2d"),
    "LPPool2d": ("it takes roots of sums of powers", "use AvgPool2d"),
    "LPPool1d": ("it takes roots of sums of powers", "use AvgPool1d"),
    "ReflectionPad2d": ("a graph pads with one code", "use zero padding"),
    "ReplicationPad2d": ("a graph pads with one code", "use zero padding"),
    "CircularPad2d": ("a graph pads with one code", "use zero padding"),
    "ReflectionPad1d": ("a graph pads with one code", "use zero padding"),
    "ReplicationPad1d": ("a graph pads with one code", "use zero padding"),
    "CosineSimilarity": (
        "it divides by norms of each sample",
        "compare the outputs of both branches on the host",
    ),
}
_MATMUL = (
    "it multiplies activations by each other, or by weights that forward() computes from others",
    "use nn.Linear or nn.Conv2d with weights of their own, which convert quantises",
)
FUNCTIONS: dict[str, tuple[str, str]] = {
    "matmul": _MATMUL,
    "bmm": _MATMUL,
    "einsum": _MATMUL,
    "linear": _MATMUL,
    "conv2d": _MATMUL,
    "conv1d": _MATMUL,
    "mm": _MATMUL,
    "addmm": _MATMUL,
    "baddbmm": _MATMUL,
    "scaled_dot_product_attention": _ATTENTION,
    "multi_head_attention_forward": _ATTENTION,
    "layer_norm": _NORM,
    "group_norm": _NORM,
    "instance_norm": _NORM,
    "normalize": _NORM,
    "var": _NORM,
    "std": _NORM,
    "norm": _NORM,
    "local_response_norm": _NORM,
    "max": (
        "a maximum over an axis has an index as well",
        "use F.adaptive_max_pool2d(x, 1), or AdaptiveMaxPool1d(1)",
    ),
    "amax": ("it is no pool over the map", "use F.adaptive_max_pool2d(x, 1), or AdaptiveMaxPool1d(1)"),
    "argmax": (
        "the class is an index, and training needs logits",
        "return the logits; C has <model>_class for it",
    ),
    "stack": ("it makes a new axis", "join channels: torch.cat((a, b), 1)"),
    "rand": ("it draws numbers", "use a dropout layer"),
    "randn_like": ("it draws numbers", "use a dropout layer"),
    "pixel_shuffle": LAYERS["PixelShuffle"],
    "truediv": ("it divides by an activation", "use a table of one value (a Sigmoid), or a BatchNorm"),
    "sub": ("it takes one activation from another", "add, and let the layer before it learn the sign"),
    "embedding": LAYERS["Embedding"],
    "glu": LAYERS["GLU"],
    "roll": ("it moves the map", "use a convolution whose kernel is off centre"),
    "gt": ("it compares, and where() chooses: no function of torch's layers", "use ReLU, clamp or a gate"),
    "topk": (
        "it sorts the values of each sample",
        "use a maximum, x.amax(1), or sort the outputs on the host",
    ),
    "min": ("graphs have maxima alone", "use a maximum: -torch.maximum(-a, -b)"),
    "flip": ("it turns the map round", "turn the pictures that the model is trained with"),
    "unfold": ("it lays windows side by side", "use a convolution"),
    "cumsum": ("it sums along an axis", "use a convolution"),
}


def nearest(b: Builder, call: Call, layer: nn.Module | None) -> Refusal:
    """The refusal of a layer or a function that has no entry in any table."""
    where = str(call.node.meta.get(WHERE, ""))
    own = _own_layer(b, call)
    if own is not None:
        path, kind = own
        plain = "nn.Linear" if issubclass(kind, nn.Linear) else "nn.Conv2d"
        calls = call.node.meta.get(CALLS, [])
        return Refusal(
            f"layer {path!r} ({kind.__name__}) cannot be converted",
            "it is a layer of its own, which quantises or computes as no layer of torch does",
            f"use {plain} in its place: convert quantises its weights and its inputs",
            str(calls[1] if len(calls) > 1 else where),
        )
    owner = _owner(call)
    if layer is not None:
        why, remedy = LAYERS.get(
            type(layer).__name__,
            ("it has no integer form here", "use layers of the tables in docs/pytorch.md"),
        )
        return Refusal(
            f"layer {call.path!r} ({type(layer).__name__}){owner} cannot be converted", why, remedy, where
        )
    why, remedy = (
        _ATTENTION
        if attends(call)
        else FUNCTIONS.get(
            call.was, ("it has no integer form here", "use layers of the tables in docs/pytorch.md")
        )
    )
    return Refusal(f"{call.was}(){owner} cannot be converted", why, remedy, where)


def attends(call: Call) -> bool:
    """Whether a call multiplies activations around a softmax."""
    if FUNCTIONS.get(call.was) is not _MATMUL:
        return False
    return _leads(call.node, lambda n: list(n.users)) or _leads(call.node, lambda n: n.all_input_nodes)


def into_attention(node: fx.Node) -> bool:
    """Whether a call makes queries and keys: a product of activations, then a softmax, come after it."""
    left, seen = list(node.users), {node}
    while left:
        found = left.pop()
        was = str(getattr(found.target, "__name__", found.target))
        if FUNCTIONS.get(was) is _MATMUL and _leads(found, lambda n: list(n.users)):
            return True
        if found not in seen and found.op != "call_module":
            left += list(found.users)
        seen.add(found)
    return False


def _leads(node: fx.Node, onward: Callable[[fx.Node], list[fx.Node]]) -> bool:
    """Whether a softmax is among the next calls, up to other products and layers."""
    left, seen = onward(node), {node}
    while left:
        found = left.pop()
        name = found.target if isinstance(found.target, str) else getattr(found.target, "__name__", "")
        if name == "softmax":
            return True
        if found in seen or found.op == "call_module" or FUNCTIONS.get(name) is _MATMUL:
            continue
        seen.add(found)
        left += onward(found)
    return False


def _own_layer(b: Builder, call: Call) -> tuple[str, type[nn.Module]] | None:
    """Path and class of the user's own kind of Linear or convolution that makes the call."""
    stack = (call.node.meta.get("nn_module_stack") or {}).values()
    for path, kind in reversed(list(stack)):
        if issubclass(kind, (nn.Linear, nn.modules.conv._ConvNd)) and kind not in PLAIN:
            return path, kind
    return None


def _owner(call: Call) -> str:
    """The layer of the user's own that makes the call."""
    stack = list((call.node.meta.get("nn_module_stack") or {}).values())
    inside = [
        (path, kind)
        for path, kind in stack
        if not str(getattr(kind, "__module__", "")).startswith("torch.nn")
    ]
    return f" in {inside[-1][0]!r} ({inside[-1][1].__name__})" if inside and inside[-1][0] else ""
