"""Networks over a sliding window of frames: trained on whole windows, run frame by frame.

    net = Sequential(Conv1d(10, 64, 5), BatchNorm(64), Activation(4), TemporalBlock(64, 64, 9), ...,
                     GlobalAvgPool(Activation(4)), Flatten(), Output(64, 14))
    model = Streaming(net, window=52)
    model(x)                              # windows (N, 10, 52) -> logits (N, 14): train it as any model
    step = lower(model, x[:1])            # one frame a step, with states: (samples, steps, 10) in
    window = lower(model.net, x[:1])      # the same network over a whole window: (samples, 1, 52, 10) in

After `window` frames both give the same integers, and before that as if frames of `fill` had gone before.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.blocks import Kind, norm_act
from edgeternary.nn.conv import Conv1d


class TemporalBlock(nn.Sequential):
    """Depthwise convolution over time, batch-norm, activation, pointwise convolution, batch-norm, activation.

    x (N, inputs, L) codes -> (N, outputs, L - kernel + 1) codes of kind `activations`. Nothing is padded: the
    last frame out belongs to the last frame in, so a stream waits for nothing.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 9,
        weights: Kind = "ternary",
        activations: Kind = 4,
        scale: float | None = None,
        surrogate: str | None = None,
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            depthwise=Conv1d(inputs, inputs, kernel, groups=inputs, weights=weights)
        )
        layers.update(norm_act(inputs, activations, scale, surrogate, "1"))
        layers["pointwise"] = Conv1d(inputs, outputs, 1, weights=weights)
        layers.update(norm_act(outputs, activations, scale, surrogate, "2"))
        super().__init__(layers)


class Streaming(nn.Module):
    """A network over the last `window` frames of a stream: x (N, C, window) codes -> what `net` gives.

    edgeternary.lower takes it as one step that reads one frame: convolutions and pools over time keep their
    last frames as states (edgeternary.passes.stream says which layers can). `net` alone lowers to the network
    over a window. fill: the code of the frames before the first, which the input must have: -1 or 1 for a
    bipolar one.
    """

    def __init__(self, net: nn.Module, window: int, fill: int = 0) -> None:
        super().__init__()
        if window < 1:
            raise EdgeTernaryError(f"a window of {window} frames holds nothing", remedy="give one or more")
        self.net, self.window, self.fill = net, window, fill

    def forward(self, x: Tensor) -> Any:
        if x.dim() != 3 or x.shape[2] != self.window:
            raise EdgeTernaryError(
                f"the input has the shape {tuple(x.shape)}",
                f"this network takes (N, channels, {self.window}): windows of {self.window} frames",
                "cut the stream into windows, or call over() for an answer at every frame",
            )
        return self.net(x)

    @torch.no_grad()
    def over(self, frames: Tensor) -> Any:
        """The answers (N, T, ...) after each of the frames (N, C, T); frames of `fill` went before."""
        before = frames.new_full((*frames.shape[:2], self.window - 1), self.fill)
        windows = torch.cat((before, frames), 2).unfold(2, self.window, 1)  # (N, C, T, window)
        answers = self(windows.transpose(1, 2).flatten(0, 1))
        return tree_map(lambda y: y.reshape(len(frames), -1, *y.shape[1:]), answers)

    def extra_repr(self) -> str:
        return f"window={self.window}, fill={self.fill}"
