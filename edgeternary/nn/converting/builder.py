"""The converted model while it is built: a new torch.fx graph, its layers, and what each is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NoReturn

import torch
from torch import Tensor, fx, nn

from edgeternary.nn.activations import Activation, StepSize
from edgeternary.nn.converting.observe import Seen
from edgeternary.nn.converting.order import turned
from edgeternary.nn.converting.report import Refusal, Report, Row
from edgeternary.nn.converting.tracer import WHERE
from edgeternary.nn.converting.values import Codes, Elementwise, Float, Made, Shuffled, Sums, Value
from edgeternary.nn.curve import Curve
from edgeternary.nn.levels import Levels, levels
from edgeternary.nn.norm import BatchNorm, Requantize

Kind = str | int
INPUT_KIND = "int8"  # of normalised inputs: more than the activations after them
POOL_BITS = 4


@dataclass
class Ties:
    """Quantisers that share one step size, in groups."""

    groups: list[list[StepSize]] = field(default_factory=list)

    def tie(self, members: Sequence[StepSize]) -> None:
        """Puts members, and the groups that they are in, into one group."""
        touched = [g for g in self.groups if any(m is n for m in members for n in g)]
        self.groups = [g for g in self.groups if not any(g is t for t in touched)]
        merged: list[StepSize] = []
        for one in [*(m for g in touched for m in g), *members]:
            if not any(one is m for m in merged):
                merged.append(one)
        self.groups.append(merged)


class Builder:
    """Adds layers and calls to the new graph; makes codes of float values where a layer takes codes.

    weights: a kind, or {pattern of paths: kind}; activations: a kind.
    """

    def __init__(
        self,
        traced: fx.GraphModule,
        seen: Mapping[fx.Node, Seen],
        weights: Kind | Mapping[str, Kind],
        activations: Kind,
        report: Report,
    ) -> None:
        self.traced, self.seen, self.weights, self.report = traced, seen, weights, report
        self.kind = levels(activations)
        self.graph = fx.Graph()
        self.layers: dict[str, nn.Module] = {}
        self.fits: dict[str, fx.Node] = {}  # path of a layer: the float call whose values it should give
        self.targets: dict[str, Tensor] = {}  # path: values that it should give, where no call gives them
        self.kept: set[str] = set()  # paths of layers of the model's own, which are not fitted
        self.ties = Ties()
        self.where: dict[str, str] = {}  # path: file:line
        self.at: fx.Node | None = None
        self.credit: fx.Node | None = None  # the call that new layers belong to, if not to the one at hand
        self.became: dict[fx.Node, list[str]] = {}
        self.notes: dict[fx.Node, list[str]] = {}
        self.refused: dict[fx.Node, str] = {}  # what the report says of calls that nothing came of

    # the new graph

    def layer(self, path: str, layer: nn.Module, *inputs: fx.Node) -> fx.Node:
        """A call of `layer` at `path`, or at a free path like it."""
        owner = self.credit or self.at
        if self.layers.get(path) is not layer:
            path = self.free(path)
            self.layers[path] = layer
            if owner is not None:
                self.became.setdefault(owner, []).append(described(layer))
        if owner is not None:
            self.where.setdefault(path, str(owner.meta.get(WHERE, "")))
        return self.graph.call_module(path, inputs)

    def free(self, path: str) -> str:
        """`path`, or that with underscores after it, which nothing has and nothing is inside of."""
        path = path or "layer"
        while path in self.layers or any(
            p.startswith(path + ".") or path.startswith(p + ".") for p in self.layers
        ):
            path += "_"
        return path

    def call(self, function: Callable[..., Any], *args: Any) -> fx.Node:
        return self.graph.call_function(function, args)

    def refuse(self, what: str, why: str, remedy: str) -> NoReturn:
        raise Refusal(what, why, remedy, str(self.at.meta.get(WHERE, "")) if self.at else "")

    def note(self, text: str) -> None:
        """Something inexact about the call that is being converted."""
        assert self.at is not None
        said = self.notes.setdefault(self.at, [])
        if text not in said:
            said.append(text)

    def weight_kind(self, path: str) -> Kind:
        if not isinstance(self.weights, Mapping):
            return self.weights
        return next((k for pattern, k in self.weights.items() if fnmatchcase(path, pattern)), "ternary")

    def shape(self, node: fx.Node) -> tuple[int, ...]:
        """Of the float call's result, without the axis of the samples."""
        return self.seen[node].shape[1:]

    def rows(self, name: Callable[[fx.Node], tuple[str, str, bool]]) -> None:
        """The rows of the report. name: path, class or function, and whether it is a layer, of a call."""
        for node in self.traced.graph.nodes:
            if node.op not in ("call_module", "call_function", "call_method"):
                continue
            path, was, is_layer = name(node)
            became = self.refused.get(node) or ", ".join(self.became.get(node, []))
            note = "; ".join(self.notes.get(node, []))
            if is_layer or became or note:
                shape = self.shape(node) if node in self.seen else ()
                self.report.layers.append(Row(path, str(node.meta.get(WHERE, "")), was, shape, became, note))

    # float values become codes

    def signed(self, unsigned: bool) -> Levels:
        """The kind of activations, signed where values below 0 come."""
        kind = self.kind
        if unsigned or kind.lo < 0:
            return kind
        bits = kind.hi.bit_length()
        return levels(f"int{bits}" if bits > 1 else "ternary")

    def codes(self, x: Value, kind: Levels | None = None, padded: bool = False, placed: bool = True) -> Codes:
        """x as codes: a quantiser is added where it is a float value. padded: zeros may stand around it.

        placed: a map lies as a graph has it, also after permutations that move it.
        """
        if isinstance(x, Codes):
            assert padded or not any(x.pad), "pad() leaves zeros to convolutions alone"
            if placed and x.moved is not None and len(x.moved.now) > 1:
                return turned(self, x)
            return x
        if isinstance(x, Sums):
            raise AssertionError("sums are wrapped as Float")
        if isinstance(x, Made):
            found = kind or self.signed(False)
            if found.hi - found.lo > 15:
                found = levels("int4")
            act = Activation(found.name)
            node = self.layer(self.free(f"{x.source.name}_act"), act, x.node)
            return Codes(node, found, act if found.gap == 1 else None)
        if isinstance(x, Shuffled):
            self.refuse(
                f"{self.name} cannot be converted",
                f"its input has {len(x.places.shape)} axes, and a value of a graph has up to four, with the "
                "samples",
                "reshape it to (N, channels, height, width) first",
            )
        if not isinstance(x, Float):
            self.refuse(
                f"{self.name} cannot be converted",
                "it takes a value that is no activation, such as logits or a constant",
                "let layers follow each other, and end the model after the last one",
            )
        found = kind or self.kind_of(x)
        if found.name not in x.quantized:
            self.credit = x.source
            x.quantized[found.name] = self._quantize(x, found)
            self.credit = None
        return x.quantized[found.name]

    @property
    def name(self) -> str:
        """Of the call that is being converted, for messages."""
        assert self.at is not None
        if self.at.op == "call_module":
            return f"layer {str(self.at.target)!r}"
        target = self.at.target
        name = target if isinstance(target, str) else str(getattr(target, "__name__", target)).strip("_")
        return "an index, x[...]," if name == "getitem" else f"{name}()"

    def kind_of(self, x: Float) -> Levels:
        """The kind of codes that x becomes on its own."""
        if isinstance(x.base, Codes) and x.base.affine is not None and not x.curves:
            return levels(INPUT_KIND)
        if isinstance(x.base, Sums) and x.base.layer is None and not x.curves:  # an average
            found = self.signed(x.base.unsigned)
            few = found.hi - found.lo < 15
            return levels(f"{'u' if x.base.unsigned else ''}int{POOL_BITS}") if few else found
        unsigned = bool(x.curves) and x.curves[-1].unsigned
        if x.curves and not unsigned and self.kind.lo >= 0 and self.kind.hi > 1:
            return self._better(x)
        return self.signed(unsigned)

    def _better(self, x: Float) -> Levels:
        """Signed codes, or unsigned ones where what is below 0 weighs less than the finer steps."""
        y = self.seen[x.source].values if x.source in self.seen else torch.zeros(1, 1)
        signed = self.signed(False)
        return min((self.kind, signed), key=lambda k: best_step(y, k)[1])

    def _quantize(self, x: Float, kind: Levels) -> Codes:
        path, wide = self._act_path(x), kind.gap == 1 and kind.hi - kind.lo > 15
        curves = x.curves
        if curves and kind.lo == 0 and curves[-1].relu and curves[-1].top is None:
            curves = curves[:-1]  # the codes end at 0 as well
        plain = not curves or (len(curves) == 1 and curves[0].relu and kind.lo == 0)
        if kind.gap == 2 or kind.name in ("ternary", "binary"):
            curves = tuple(c for c in x.curves if c.exact and not c.relu) if kind.gap == 1 else ()
            plain = True
        if wide and plain:
            return self._requantized(x, kind, path)
        if wide or any(not c.exact for c in curves):
            return self._tabulated(x, kind, path)
        node = self.float_node(x, curves)
        act = Activation(kind.name)
        made = self.layer(path, act, node)
        return Codes(made, kind, act if kind.gap == 1 else None)

    def _act_path(self, x: Float) -> str:
        if x.curves:
            return self.free(x.curves[-1].path)
        return self.free(f"{x.norm_path or x.before.name}_act")

    def float_node(self, x: Float, curves: Sequence[Elementwise] | None = None) -> fx.Node:
        """The float value made: norm, then curves; a batch-norm is added where there was none."""
        curves = x.curves if curves is None else curves
        norm, path = x.norm, x.norm_path
        if norm is None:
            norm, path = BatchNorm(self.width(x)), self.free(f"{x.before.name}_norm")
        node = self.layer(path, norm, x.base.node)
        self.fits.setdefault(self.path(norm), x.before)
        for curve in curves:
            call = curve.call
            node = (
                self.layer(curve.path, call, node) if isinstance(call, nn.Module) else self.call(call, node)
            )

        return node

    def path(self, layer: object) -> str:
        return next(path for path, found in self.layers.items() if found is layer)

    def is_kept(self, layer: object) -> bool:
        """Whether a layer was in the model before, so that nothing of it is fitted."""
        return any(self.layers[path] is layer for path in self.kept)

    def width(self, x: Float) -> int:
        """Channels of axis 1."""
        return self.seen[x.before].shape[1]

    def _requantized(self, x: Float, kind: Levels, path: str) -> Codes:
        act = Requantize(self.width(x), kind.name)
        self._take_norm(act, x)
        node = self.layer(path if x.curves or x.norm is None else self.free(path), act, x.base.node)
        self.fits[self.path(act)] = x.before
        return Codes(node, kind, act)

    def _tabulated(self, x: Float, kind: Levels, path: str) -> Codes:
        function = x.curves[0].call if len(x.curves) == 1 else Composed([c.call for c in x.curves])
        act = Curve(self.width(x), function, kind.name)
        self._take_norm(act.before, x)
        node = self.layer(path, act, x.base.node)
        self.fits[self.path(act)] = x.before
        return Codes(node, kind, act)

    @staticmethod
    def _take_norm(act: Requantize, x: Float) -> None:
        if isinstance(x.norm, BatchNorm):
            act.load_state_dict({**x.norm.state_dict(), "scale": act.scale})


def described(layer: nn.Module) -> str:
    """A layer for the report: its class, and the kind of its codes or weights."""
    kind = getattr(layer, "weight_kind", None) or getattr(getattr(layer, "levels", None), "name", None)
    name = type(layer).__name__
    return f"{name}({kind if not isinstance(kind, int) else f'int{kind}'})" if kind else name


class Composed(nn.Module):
    """Functions of one element, one after the other."""

    def __init__(self, functions: Sequence[Callable[[Tensor], Tensor]]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(f for f in functions if isinstance(f, nn.Module))
        self.functions = [None if isinstance(f, nn.Module) else f for f in functions]

    def forward(self, x: Tensor) -> Tensor:
        layers = iter(self.layers)
        for function in self.functions:
            x = next(layers)(x) if function is None else function(x)
        return x


def best_step(y: Tensor, kind: Levels) -> tuple[float, float]:
    """The step size whose codes are nearest to y, and the mean squared error: 48 sizes are tried."""
    y = y.detach().float().reshape(-1)
    y = y[torch.linspace(0, len(y) - 1, min(len(y), 20000)).long()]
    top = max(
        float((y / (kind.hi if kind.hi else 1)).max()),
        float((y / (kind.lo if kind.lo else -1e9)).max()),
        1e-9,
    )
    found = (top, float("inf"))
    for part in torch.linspace(0.06, 1.05, 48).tolist():
        step = top * part
        error = float(((torch.floor(y / step + 0.5).clamp(kind.lo, kind.hi) * step - y) ** 2).mean())
        if error < found[1]:
            found = (step, error)
    return found
