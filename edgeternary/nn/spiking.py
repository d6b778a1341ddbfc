"""Spiking layers: neurons that keep a potential between steps, a readout, and the model around them.

    net = Sequential(Linear(784, 256), LIF(256), Linear(256, 10), Readout(10))
    model = Spiking(net, steps=8, coding="rate")      # pixels (N, 784) -> logits (N, 8, 10) after each step
    graph = lower(model, pixels[:1])                  # one step of it, with states

Every layer computes all steps at once, (N * steps, C, ...); only neurons and readouts look at time.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import membrane
from edgeternary.nn.activations import positive
from edgeternary.nn.coding import find_coding
from edgeternary.nn.levels import levels
from edgeternary.nn.membrane import spread
from edgeternary.nn.surrogates import Surrogated, find_surrogate, straight_through


class OverTime(nn.Module):
    """A layer that looks at time: how many steps of each sample lie side by side in its input."""

    steps: int = 1


class LIF(Surrogated, OverTime):
    """Leaky integrate-and-fire neurons with a batch-norm before them: accumulators in, binary spikes out.

    Potentials are integers with `fraction` bits below an accumulator's unit; they decay by v >> shift at each
    step and lose the threshold at a spike (see membrane.py for the formulas, the same in train and eval
    mode). The threshold starts at `threshold` deviations of the input and is learnt, one a channel, as is the
    batch-norm's `bias`. A sample starts with `start` times the threshold. surrogate: a name in SURROGATES,
    at the distance from the threshold in deviations.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        channels: int,
        shift: int = 2,
        fraction: int = 3,
        threshold: float = 1.0,
        start: float = 0.0,
        surrogate: str = "arctan",
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if not 0 <= shift <= 8 or not 0 <= fraction <= 8 or not 0 <= start < 1:
            raise EdgeTernaryError(
                f"{type(self).__name__}(shift={shift}, fraction={fraction}, start={start}) is not possible",
                "potentials have 16 bits, and start below the threshold",
                "take 0 <= shift <= 8, 0 <= fraction <= 8 and 0 <= start < 1",
            )
        self.shift, self.fraction, self.begin = shift, fraction, start
        self.surrogate = find_surrogate(surrogate).name
        self.levels = levels("binary")
        self.eps, self.momentum = eps, momentum
        self.threshold = nn.Parameter(torch.full((channels,), float(threshold)))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def rows(self) -> Tensor:
        """(3, C) int64: bias, threshold and first potential, in units of the potential."""
        return membrane.thresholds(
            self.running_mean,
            self.running_var,
            self.threshold,
            self.bias,
            self.eps,
            self.fraction,
            self.begin,
        )

    def forward(self, x: Tensor, constant: bool = False) -> Tensor:
        """constant: x, (N, C, ...), is the same at every step."""
        if not self.training:
            x = x.repeat_interleave(self.steps, 0) if constant else x
            return membrane.lif(x, self.rows(), self.steps, self.shift, self.fraction)
        axes = [0, *range(2, x.dim())]
        var, mean = torch.var_mean(x, axes, correction=0)
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * (count / max(count - 1, 1)), self.momentum)
        one = 2.0**self.fraction
        unit = torch.sqrt(var + self.eps) * one
        b = rounded(self.bias * unit - mean * one)
        theta = rounded(self.threshold.abs() * unit).clamp(1, membrane.MOST)
        drive = (x * one + spread(b, x.dim())).clamp(membrane.LO, membrane.HI)
        begin = torch.floor(theta.detach() * self.begin)
        step = self.steps, self.shift, self.slope, constant
        return membrane.train_lif(drive, (theta, begin, unit.detach()), *step)

    def extra_repr(self) -> str:
        return f"{self.bias.shape[0]}, shift={self.shift}, fraction={self.fraction}, start={self.begin}"


class IF(LIF):
    """Integrate-and-fire neurons: LIF without decay. Potentials stop at the ends of their 15 bits."""

    def __init__(
        self,
        channels: int,
        fraction: int = 0,
        threshold: float = 1.0,
        start: float = 0.0,
        surrogate: str = "arctan",
    ) -> None:
        super().__init__(channels, 0, fraction, threshold, start, surrogate)


class Readout(OverTime):
    """The last layer: logits (N * steps, C) = the sums of accumulators and integer biases so far, scaled.

    bias_codes = round(bias / scale) are added at each step. Its input ends in an accumulator: a Linear.
    """

    def __init__(self, channels: int, inputs: int = 256) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.scale = nn.Parameter(torch.tensor(float(inputs) ** -0.5 / 2))

    def logit_scale(self) -> Tensor:
        """The one positive scale: logits = sums * logit_scale."""
        return positive(self.scale)

    def quantized_bias(self) -> Tensor:
        """round(bias / logit_scale), (C,): integers in units of the accumulator."""
        return torch.floor(self.bias.double() / self.logit_scale().double() + 0.5).float()

    def forward(self, x: Tensor) -> Tensor:
        scale = self.logit_scale()
        if not self.training:
            return membrane.accumulate(x, self.quantized_bias(), self.steps) * scale
        bias = straight_through(self.quantized_bias(), self.bias / scale.detach())
        return membrane.by_step(x + bias, self.steps).cumsum(1).flatten(0, 1) * scale

    def extra_repr(self) -> str:
        return str(self.bias.shape[0])


class Spiking(nn.Module):
    """A net over steps: codes (N, ...) are coded as spikes, every layer of `net` sees (N * steps, ...).

    The output, (N, steps, ...), holds the answer after each step; the last one is the model's. coding: a name
    in CODINGS. edgeternary.lower takes `net` as one step, with a state for each neuron: its graph gets what
    `encode` gives.
    """

    def __init__(self, net: nn.Module, steps: int = 8, coding: str = "rate") -> None:
        super().__init__()
        find_coding(coding)
        if steps < 1:
            raise EdgeTernaryError(
                f"a model of {steps} steps does nothing", remedy="give it one step or more"
            )
        self.net, self.steps, self.coding = net, steps, coding

    def encode(self, x: Tensor) -> Tensor:
        """(N, ...) raw codes -> (N, steps, ...): what the graph's input is at each step."""
        return find_coding(self.coding)(x, self.steps)

    def forward(self, x: Tensor) -> Any:
        layers = list(self.net) if isinstance(self.net, nn.Sequential) else []
        over = [layer for layer in layers if any(isinstance(m, OverTime) for m in layer.modules())]
        if self.coding == "direct" and over and isinstance(over[0], LIF):
            return self._constant(layers, x.float())
        return self.over(self.encode(x))

    def _constant(self, layers: list[nn.Module], x: Tensor) -> Any:
        """The same for an input that stays: what comes before the first neuron is computed once."""
        first = next((k for k, layer in enumerate(layers) if isinstance(layer, OverTime)), len(layers))
        set_steps(self.net, self.steps)
        for layer in layers[:first]:
            x = layer(x)
        answers = layers[first](x, constant=True)
        for layer in layers[first + 1 :]:
            answers = layer(answers)
        return tree_map(lambda y: y.reshape(-1, self.steps, *y.shape[1:]), answers)

    def over(self, events: Tensor) -> Any:
        """The answers (N, steps, ...) to events (N, steps, ...), of any number of steps."""
        steps = events.shape[1]
        set_steps(self.net, steps)
        answers = self.net(events.flatten(0, 1))
        return tree_map(lambda y: y.reshape(-1, steps, *y.shape[1:]), answers)


def set_steps(net: nn.Module, steps: int) -> None:
    """Tells every layer that looks at time how many steps of a sample lie side by side."""
    for module in net.modules():
        if isinstance(module, OverTime):
            module.steps = steps


def rounded(x: Tensor) -> Tensor:
    """floor(x + 1/2) with the gradient of x."""
    return straight_through(torch.floor(x.detach() + 0.5), x)
