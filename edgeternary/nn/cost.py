"""The cost of layers (nonzero weights, packed bytes, multiply-accumulates) and a penalty of it in the loss.

    costs = layer_costs(model, example)
    penalty = CostPenalty(model, example, price="macs", weight=0.1)
    loss = cross_entropy + penalty()

A price is a CostModel: a function of a LayerCost that says what one nonzero weight of that layer costs. The
compiler's models (cycles of a kernel, LUTs of a part) plug in there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import parse
from edgeternary.nn.levels import Levels
from edgeternary.nn.linear import Quantized
from edgeternary.nn.sparsity import weight_layers


@dataclass(frozen=True)
class LayerCost:
    """One layer with weights, for one sample.

    kind             class name of the layer, such as "Conv2d"
    weight_bits      bits of one code in packed form: 1 for binary, 2 for ternary, N for intN
    activation_bits  bits of the codes that enter; None where a float or an accumulator enters
    output           (C, H, W), (C, L) or (n,)
    packed_bytes     bytes of all codes, without the padding of a back end's layout
    macs             multiply-accumulates of one sample, those of zero weights included
    """

    name: str
    kind: str
    weight_bits: int
    activation_bits: int | None
    output: tuple[int, ...]
    weights: int
    nonzeros: int
    packed_bytes: int
    macs: int

    @property
    def uses(self) -> float:
        """How often a weight is used for one sample: the positions of a convolution, 1 for a dense layer."""
        return self.macs / self.weights


class CostModel(Protocol):
    """What one nonzero weight of a layer costs, in any unit: price(layer) >= 0."""

    def __call__(self, layer: LayerCost, /) -> float: ...


COSTS: dict[str, CostModel] = {
    "nonzeros": lambda layer: 1.0,
    "bytes": lambda layer: layer.weight_bits / 8,
    "macs": lambda layer: layer.uses,
}


@torch.no_grad()
def layer_costs(model: nn.Module, example: Tensor, input_bits: int = 8) -> list[LayerCost]:
    """The layers with weights of `model`, in the order in which they run on `example`, a batch of codes.

    input_bits: of the model's input codes. The model is run once, in eval mode, and left as it was.
    """
    walk = _Walk(model, input_bits)
    training = {module: module.training for module in model.modules()}
    walk.remember(example, input_bits)
    try:
        model.eval()(example)
    finally:
        for hook in walk.hooks:
            hook.remove()
        for module, was in training.items():
            module.training = was
    return walk.found


class _Walk:
    """Forward hooks that follow how many bits the codes in each tensor have."""

    def __init__(self, model: nn.Module, input_bits: int) -> None:
        self.found: list[LayerCost] = []
        self.bits: dict[int, tuple[Tensor, int | None]] = {}
        self.last: int | None = input_bits
        self.hooks = [m.register_forward_hook(self.hook(path)) for path, m in model.named_modules()]

    def remember(self, x: Tensor, bits: int | None) -> None:
        self.bits[x.untyped_storage().data_ptr()] = (x, bits)  # x is kept, so that its address stays its own

    def of(self, x: Tensor) -> int | None:
        """Bits of the codes in x; those of the last quantiser where a function without a module made x."""
        return self.bits.get(x.untyped_storage().data_ptr(), (x, self.last))[1]

    def hook(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def after(module: nn.Module, args: Any, output: Any) -> None:
            if not args or not isinstance(args[0], Tensor) or not isinstance(output, Tensor):
                return
            declared = getattr(module, "levels", None)
            if isinstance(module, Quantized):
                self.found.append(cost_of(path, module, self.of(args[0]), tuple(output.shape)))
                self.remember(output, None)
            elif isinstance(declared, Levels):
                self.last = parse(declared.name).bits
                self.remember(output, self.last)
            elif not list(module.children()):
                self.remember(output, self.of(args[0]))

        return after


def cost_of(path: str, layer: Quantized, activation_bits: int | None, output: tuple[int, ...]) -> LayerCost:
    """The figures of one layer whose output is (N, C, ...)."""
    weights, bits = layer.weight.numel(), parse(layer.quantizer.name).bits
    return LayerCost(
        name=path,
        kind=type(layer).__name__,
        weight_bits=bits,
        activation_bits=activation_bits,
        output=output[1:],
        weights=weights,
        nonzeros=int(torch.count_nonzero(layer.integer_codes())),
        packed_bytes=math.ceil(weights * bits / 8),
        macs=weights * math.prod(output[2:]),
    )


class _Count(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, w: Tensor, codes: Tensor, limit: Tensor) -> Tensor:
        ctx.save_for_backward(w, limit)
        return torch.count_nonzero(codes).to(w.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        w, limit = ctx.saved_tensors
        width = 2 * limit.clamp_min(1e-12)
        return grads[0] * w.sign() * (w.abs() < width) / width, None, None


def nonzeros(layer: Quantized) -> Tensor:
    """Number of nonzero weight codes, (), differentiable in the latent weights.

    Backward is that of sum(min(|w| / 2t, 1)), t the threshold between codes 0 and 1: weights near it are
    drawn to zero.
    """
    limit = layer.quantizer.limit(layer.weight)
    codes = layer.integer_codes()
    if limit is None:
        return torch.count_nonzero(codes).to(layer.weight.dtype)
    count: Tensor = _Count.apply(layer.weight, codes, limit)
    return count


class CostPenalty:
    """weight * (cost of the nonzero weights) / (cost of all weights): a term of the loss, from 0 to `weight`.

    price: a name in COSTS or a CostModel, asked once per layer. layers: module paths or patterns, all by
    default. penalty() -> Tensor (), with gradient; penalty.share() -> the same fraction as a number.
    """

    def __init__(
        self,
        model: nn.Module,
        example: Tensor,
        price: str | CostModel = "nonzeros",
        weight: float = 0.1,
        layers: Sequence[str] | None = None,
        input_bits: int = 8,
    ) -> None:
        if isinstance(price, str) and price not in COSTS:
            raise EdgeTernaryError(
                f"no price is called {price!r}",
                f"known are: {', '.join(COSTS)}",
                "choose one, or give a function",
            )
        model_of = COSTS[price] if isinstance(price, str) else price
        chosen, costs = (
            weight_layers(model, layers),
            {c.name: c for c in layer_costs(model, example, input_bits)},
        )
        self.weight = weight
        self.terms = [(layer, float(model_of(costs[at]))) for at, layer in chosen.items() if at in costs]
        self.total = sum(price * layer.weight.numel() for layer, price in self.terms)
        if any(not 0 <= price < math.inf for _, price in self.terms) or not self.total:
            raise EdgeTernaryError(
                "a price is not a positive number", "or no layer has one", "see nn.cost.COSTS"
            )

    def fraction(self) -> Tensor:
        """Cost of the nonzero weights over that of all, ()."""
        return torch.stack([nonzeros(layer) * (price / self.total) for layer, price in self.terms]).sum()

    def share(self) -> float:
        """The fraction as a number."""
        with torch.no_grad():
            return float(self.fraction())

    def __call__(self) -> Tensor:
        return self.weight * self.fraction()
