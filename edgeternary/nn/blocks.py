"""Blocks of several layers: norm_act, DepthwiseSeparable (MobileNet) and BasicBlock (ResNet)."""

from collections import OrderedDict

from torch import Tensor, nn

from edgeternary.nn.activations import Activation
from edgeternary.nn.conv import Conv2d, four, pair
from edgeternary.nn.levels import levels
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.structure import Residual

Kind = str | int


def norm_act(
    channels: int, kind: Kind = 2, scale: float | None = None, surrogate: str | None = None, suffix: str = ""
) -> OrderedDict[str, nn.Module]:
    """{"norm": BatchNorm, "act": Activation}, or {"act": Requantize} for 5 bits and more; names end in
    `suffix`.
    """
    found = levels(kind)
    if found.gap == 1 and found.hi - found.lo > 15:
        return OrderedDict({f"act{suffix}": Requantize(channels, kind, scale, surrogate=surrogate)})
    return OrderedDict(
        {f"norm{suffix}": BatchNorm(channels), f"act{suffix}": Activation(kind, scale, surrogate)}
    )


class DepthwiseSeparable(nn.Sequential):
    """Depthwise convolution, batch-norm, activation, 1x1 convolution, batch-norm, activation (Howard et
    al., 2017).

    x (N, inputs, H, W) codes -> (N, outputs, OH, OW) codes of kind `activations`. kernel, stride, pad and
    pad_value are the depthwise convolution's; pad None keeps the size (times 1 / stride) for odd kernels.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        pad: int | tuple[int, ...] | None = None,
        pad_value: int = 0,
        weights: Kind = "ternary",
        activations: Kind = 2,
        depthwise_weights: Kind | None = None,
        scale: float | None = None,
        surrogate: str | None = None,
    ) -> None:
        size = pair(kernel)
        around = four((size[0] // 2, size[1] // 2) if pad is None else pad)
        depthwise = depthwise_weights or weights
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            depthwise=Conv2d(inputs, inputs, size, stride, around, pad_value, inputs, depthwise)
        )
        layers.update(norm_act(inputs, activations, scale, surrogate, "1"))
        layers["pointwise"] = Conv2d(inputs, outputs, 1, weights=weights)
        layers.update(norm_act(outputs, activations, scale, surrogate, "2"))
        super().__init__(layers)


class BasicBlock(nn.Module):
    """A ResNet block (He et al., 2016): two 3x3 convolutions beside a shortcut, batch-norm and activation
    after the sum.

    x (N, inputs, H, W) codes -> (N, outputs, OH, OW) codes of kind `activations`. Both branches end in
    codes of kind `branch` (signed, so that the body can take away), which share one learnt step. The
    shortcut is x itself where shape and channels stay, else a 1x1 convolution of that stride.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        weights: Kind = "ternary",
        activations: Kind = 2,
        branch: Kind | None = None,
        scale: float | None = None,
        surrogate: str | None = None,
    ) -> None:
        super().__init__()
        bipolar = levels(activations).gap == 2
        pad_value = -1 if bipolar else 0
        wide = levels(activations).hi > 15
        branch = branch or ("bipolar" if bipolar else "int8" if wide else "int4")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=Conv2d(inputs, outputs, 3, stride, 1, pad_value, weights=weights)
        )
        layers.update(norm_act(outputs, activations, scale, surrogate, "1"))
        layers["conv2"] = Conv2d(outputs, outputs, 3, 1, 1, pad_value, weights=weights)
        layers.update(norm_act(outputs, branch, None, surrogate, "2"))
        shortcut: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            path: OrderedDict[str, nn.Module] = OrderedDict(
                conv=Conv2d(inputs, outputs, 1, stride, weights=weights)
            )
            path.update(norm_act(outputs, branch, None, surrogate))
            shortcut = nn.Sequential(path)
        self.sum = Residual(nn.Sequential(layers), shortcut)
        self.out = nn.Sequential(norm_act(outputs, activations, scale, surrogate))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.sum(x))
