"""Surrogate gradients: the slope that backward uses where the forward pass is a staircase.

SURROGATES = {name: Surrogate}. Every entry names a smooth primitive and is its derivative; docs/surrogates.md
is written from this table by docs/surrogates.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError

Slope = Callable[[Tensor], Tensor]
Anneal = Callable[[Tensor, float], Tensor]
Texts = tuple[str, str, str, str, str, str]  # the first six fields of a Surrogate


@dataclass(frozen=True)
class Surrogate:
    """slope(x) = d primitive(x) / dx, but for the points in `kinks`; calling the entry gives the slope.

    of: "sign" (the primitive goes from about -1 to +1) or "step" (from about 0 to 1). An annealed entry
    depends on the progress p of training in 0..1 as well: it starts flat and ends near the staircase.
    """

    name: str
    of: str
    primitive_formula: str
    formula: str
    source: str
    use: str
    primitive: Anneal
    derivative: Anneal
    kinks: tuple[float, ...] = ()
    annealed: bool = False

    def __call__(self, x: Tensor, progress: float = 0.0) -> Tensor:
        """The slope at x (any shape), same shape and dtype."""
        return self.derivative(x, progress)


SURROGATES: dict[str, Surrogate] = {}


def _add(texts: Texts, primitive: Slope, derivative: Slope, *kinks: float) -> Surrogate:
    return _keep(Surrogate(*texts, lambda x, p: primitive(x), lambda x, p: derivative(x), kinks))


def _anneal(texts: Texts, primitive: Anneal, derivative: Anneal, *kinks: float) -> Surrogate:
    return _keep(Surrogate(*texts, primitive, derivative, kinks, True))


def _keep(surrogate: Surrogate) -> Surrogate:
    SURROGATES[surrogate.name] = surrogate
    return surrogate


def find_surrogate(name: str) -> Surrogate:
    """SURROGATES[name], or an EdgeTernaryError that lists the names."""
    if name in SURROGATES:
        return SURROGATES[name]
    raise EdgeTernaryError(
        f"no surrogate is called {name!r}", f"known are: {', '.join(SURROGATES)}", "choose one of these"
    )


class Surrogated:
    """Mixin of every layer with a surrogate: `surrogate` is its name, `progress` the share of training
    done.
    """

    surrogate: str = "identity"
    progress: float = 0.0

    def slope(self, x: Tensor) -> Tensor:
        """The surrogate's slope at x at this point of training."""
        return SURROGATES[self.surrogate](x, self.progress)

    def set_progress(self, progress: float) -> None:
        """Moves annealed surrogates; progress is clamped to 0..1."""
        self.progress = min(max(float(progress), 0.0), 1.0)


def set_progress(model: nn.Module, progress: float) -> None:
    """Tells every layer of `model` that anneals something which share of the training is done (0..1)."""
    for module in model.modules():
        tell = getattr(module, "set_progress", None)
        if tell is not None:
            tell(progress)


def straight_through(codes: Tensor, x: Tensor, slope: Slope | None = None) -> Tensor:
    """Forward: `codes`, bit for bit. Backward: the gradient of `codes` times slope(x) goes to `x`.

    x - x.detach() is exactly zero, so no rounding creeps into the codes (w + (q - w).detach() would be an ulp
    off). Without a slope it is 1.
    """
    x_ = x.detach()
    carrier = (x - x_) if slope is None or slope is identity else (x - x_) * slope(x_)
    return codes.detach() + carrier


def _inside(x: Tensor, limit: float = 1.0) -> Tensor:
    return x.abs().le_(limit)


identity = _add(
    ("identity", "sign", "x", "1", "Bengio et al., 2013, arXiv:1308.3432",
    "latent weights that are clipped to [-1, 1] by the trainer; never for binary activations"),
    lambda x: x, lambda x: x.new_ones(()).expand_as(x),
)  # fmt: skip

clipped = _add(
    ("clipped", "sign", "clamp(x, -1, 1)", "1 if |x| <= 1 else 0",
    "BinaryConnect, Courbariaux et al., 2015, arXiv:1511.00363; LSQ, Esser et al., 2020, arXiv:1902.08153",
    "default of activations of 1 bit {0,1}, ternary and 2 bits or more"),
    lambda x: x.clamp(-1, 1), _inside, -1, 1,
)  # fmt: skip

approx_sign = _add(
    ("approx_sign", "sign", "2x - x|x| for |x| <= 1, else sign(x)", "max(0, 2 - 2|x|)",
    "Bi-Real Net, Liu et al., 2018, arXiv:1808.00278", "default of bipolar activations"),
    lambda x: torch.where(x.abs() <= 1, 2 * x - x * x.abs(), x.sign()),
    lambda x: x.abs().mul_(-2).add_(2).clamp_min_(0), -1, 0, 1,
)  # fmt: skip

BETA = 5.0  # BNN+: 5 for activations


def _swish_sign(x: Tensor) -> Tensor:
    s = torch.sigmoid(BETA * x)
    return 2 * s * (1 + BETA * x * (1 - s)) - 1


def _swish_sign_slope(x: Tensor) -> Tensor:
    u = BETA * x
    return BETA * (2 - u * torch.tanh(u / 2)) / (1 + torch.cosh(u))


swish_sign = _add(
    ("swish_sign", "sign", "2 s (1 + bx (1 - s)) - 1, s = sigmoid(bx), b = 5",
    "b (2 - bx tanh(bx / 2)) / (1 + cosh(bx)), b = 5", "BNN+, Darabi et al., 2018, arXiv:1812.11800",
    "binary weights and activations, where a little overshoot helps codes to settle"),
    _swish_sign, _swish_sign_slope,
)  # fmt: skip


def _ede(x: Tensor, p: float) -> Tensor:
    t = 10.0 ** (2 * p - 1)
    return max(1 / t, 1.0) * torch.tanh(t * x)


def _ede_slope(x: Tensor, p: float) -> Tensor:
    t = 10.0 ** (2 * p - 1)
    return max(1.0, t) * (1 - torch.tanh(t * x).square())


ede = _anneal(
    ("ede", "sign", "k tanh(tx), t = 10^(2p - 1), k = max(1/t, 1)", "k t (1 - tanh(tx)^2)",
    "IR-Net, Qin et al., 2020, arXiv:1909.10788",
    "binary weights and activations in long trainings: starts as the identity, ends as a sign"),
    _ede, _ede_slope,
)  # fmt: skip

RESTE_LINEAR, RESTE_END, RESTE_POWER = 0.1, 1.5, 3.0  # m, t and the last o of the paper


def _reste(x: Tensor, p: float) -> Tensor:
    power = 1 / (1 + (RESTE_POWER - 1) * p)
    size = x.abs().clamp_max(RESTE_END)
    linear = size * RESTE_LINEAR ** (power - 1)
    return x.sign() * torch.where(size <= RESTE_LINEAR, linear, size**power)


def _reste_slope(x: Tensor, p: float) -> Tensor:
    power = 1 / (1 + (RESTE_POWER - 1) * p)
    size = x.abs()
    curve = size.clamp_min(RESTE_LINEAR).pow_(power - 1).mul_(power)
    linear = (1 - power) * RESTE_LINEAR ** (power - 1)  # excess over the curve at 0.1
    return (curve + linear * _inside(x, RESTE_LINEAR)).mul_(_inside(x, RESTE_END))


reste = _anneal(
    ("reste", "sign", "sign(x) |x|^(1/o), o = 1 + 2p; linear for |x| < 0.1, constant for |x| > 1.5",
    "|x|^(1/o - 1) / o; 0.1^(1/o - 1) for |x| <= 0.1; 0 for |x| > 1.5",
    "ReSTE, Wu et al., 2023, arXiv:2308.06689",
    "binary weights and activations: starts as a clipped identity and sharpens without vanishing"),
    _reste, _reste_slope, -1.5, -0.1, 0.1, 1.5,
)  # fmt: skip


def _sharpness(p: float) -> float:
    return 10.0**p


tanh = _anneal(
    ("tanh", "sign", "tanh(sx), s = 10^p", "s (1 - tanh(sx)^2)",
    "HashNet, Cao et al., 2017, arXiv:1702.00758",
    "binary activations; smoother at the start than EDE's identity"),
    lambda x, p: torch.tanh(_sharpness(p) * x),
    lambda x, p: _sharpness(p) * (1 - torch.tanh(_sharpness(p) * x).square()),
)  # fmt: skip


def _long_tail(x: Tensor) -> Tensor:
    size = x.abs().clamp_max(1)
    return x.sign() * torch.where(size <= 0.4, 2 * size - 2 * size * size, 0.32 + 0.4 * size)


piecewise_polynomial = _add(
    ("piecewise_polynomial", "sign",
    "2x - 2x|x| for |x| <= 0.4, sign(x) (0.32 + 0.4|x|) up to 1, then 0.72 sign(x)",
    "2 - 4|x| for |x| <= 0.4, 0.4 for |x| <= 1, else 0",
    "long-tailed higher-order estimator, Xu and Cheung, 2019, arXiv:1909.11366",
    "bipolar activations where too many units have no gradient under approx_sign"),
    _long_tail, lambda x: (2 - 4 * x.abs()).clamp_min(0.4) * _inside(x), -1, -0.4, 0, 0.4, 1,
)  # fmt: skip

STEEPNESS = 10.0  # Zenke and Vogels, 2021; snnTorch starts at 25


def _fast_sigmoid(x: Tensor) -> Tensor:
    return x / (1 + STEEPNESS * x.abs())


def _fast_sigmoid_slope(x: Tensor) -> Tensor:
    return (1 + STEEPNESS * x.abs()).square().reciprocal()


fast_sigmoid = _add(
    ("fast_sigmoid", "step", "x / (1 + k|x|), k = 10", "1 / (1 + k|x|)^2",
    "SuperSpike, Zenke and Ganguli, 2018, arXiv:1705.11146; k of Zenke and Vogels, 2021",
    "spiking layers, deep or recurrent: heavy tails, no exponentials"), _fast_sigmoid, _fast_sigmoid_slope, 0,
)  # fmt: skip

arctan = _add(
    ("arctan", "step", "1/2 + arctan(pi x) / pi", "1 / (1 + (pi x)^2)",
    "PLIF, Fang et al., 2021, arXiv:2007.05785 (alpha = 2)", "default of spiking layers"),
    lambda x: 0.5 + torch.atan(math.pi * x) / math.pi, lambda x: (math.pi * x).square().add(1).reciprocal(),
)  # fmt: skip

sigmoid = _add(
    ("sigmoid", "step", "s = sigmoid(4x)", "4 s (1 - s)",
    "Neftci, Mostafa and Zenke, 2019, arXiv:1901.09948", "spiking layers; stochastic units in expectation"),
    lambda x: torch.sigmoid(4 * x), lambda x: 4 * torch.sigmoid(4 * x) * torch.sigmoid(-4 * x),
)  # fmt: skip

triangular = _add(
    ("triangular", "step", "1/2 + x - x|x|/2 for |x| <= 1, else 0 or 1", "max(0, 1 - |x|)",
    "Esser et al., 2016, arXiv:1603.08270", "spiking layers; the cheapest slope, half of approx_sign"),
    lambda x: 0.5 + x.clamp(-1, 1) - x.clamp(-1, 1) * x.clamp(-1, 1).abs() / 2,
    lambda x: x.abs().neg_().add_(1).clamp_min_(0), -1, 0, 1,
)  # fmt: skip

sparse_fast_sigmoid = _add(
    ("sparse_fast_sigmoid", "step", "c / (1 + k|c|), c = clamp(x, -1, 1), k = 10",
    "1 / (1 + k|x|)^2 for |x| <= 1, else 0", "Perez-Nieves and Goodman, 2021, arXiv:2105.08810",
    "spiking layers that are rarely near their threshold: most slopes are exactly 0"),
    lambda x: _fast_sigmoid(x.clamp(-1, 1)), lambda x: _fast_sigmoid_slope(x) * _inside(x), -1, 0, 1,
)  # fmt: skip
