"""The float reference of a quantised model: what its accuracy and its step time are compared with."""

import copy
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn.activations import Activation, RPReLU
from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.linear import Linear, Output
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.pool import AvgPool, GlobalAvgPool, SumPool
from edgeternary.nn.replace import set_module
from edgeternary.nn.structure import Residual, last_quantizer


class FloatNorm(nn.modules.batchnorm._BatchNorm):
    """torch's batch-norm over axis 1 for any number of axes."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


class FloatConv(nn.Module):
    """torch's convolution without bias over (N, C, H, W) or (N, C, L), padded with zeros on four sides."""

    def __init__(self, layer: Conv2d) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty_like(layer.weight))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.stride, self.pad, self.groups = layer.stride, layer.pad, layer.groups
        self.flat = isinstance(layer, Conv1d)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(2) if self.flat else x
        top, left, bottom, right = self.pad
        if (top, left) == (bottom, right):
            y = F.conv2d(x, self.weight, None, self.stride, (top, left), groups=self.groups)
        else:
            wide = F.pad(x, (left, right, top, bottom))
            y = F.conv2d(wide, self.weight, None, self.stride, groups=self.groups)
        return y.squeeze(2) if self.flat else y


class FloatMean(nn.Module):
    """The mean over the windows of a SumPool."""

    def __init__(self, pool: SumPool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x) / math.prod(self.pool.window(x))


def _norm(layer: BatchNorm) -> nn.Module:
    norm = FloatNorm(layer.weight.shape[0], layer.eps, layer.momentum)
    return nn.Sequential(norm, nn.ReLU()) if isinstance(layer, Requantize) else norm


def _linear(layer: Linear) -> nn.Module:
    return nn.Linear(layer.weight.shape[1], layer.weight.shape[0], bias=False)


def _output(layer: Output) -> nn.Module:
    return nn.Linear(layer.weight.shape[1], layer.weight.shape[0])


Make = Callable[..., nn.Module]
REFERENCES: dict[type[nn.Module], Make] = {
    Linear: _linear,
    Output: _output,
    Conv1d: FloatConv,
    Conv2d: FloatConv,
    BatchNorm: _norm,
    Requantize: _norm,
    Activation: lambda layer: nn.ReLU(),
    RPReLU: lambda layer: nn.PReLU(layer.weight.shape[0]),
    AvgPool: lambda layer: FloatMean(layer.sum),
    GlobalAvgPool: lambda layer: FloatMean(layer.sum),
    SumPool: FloatMean,
}


def float_reference(model: nn.Module) -> nn.Module:
    """A float model of the same architecture with fresh weights, in train mode; `model` is not changed.

    Linear and convolutions without bias, torch's batch-norm, ReLU for every activation (nothing at the end
    of a Residual's branch if its codes are signed), means for sums, zeros for padding. Input encodings
    stay. It takes the same raw codes as `model`.
    """
    root = nn.Sequential(copy.deepcopy(model))  # the model itself may be one layer
    for residual in [m for m in root.modules() if isinstance(m, Residual)]:
        for branch in (residual.body, residual.shortcut):
            end = last_quantizer(branch)
            if isinstance(end, Activation) and end.levels.lo < 0 and end.levels.hi - end.levels.lo > 2:
                _replace(root, end, nn.Identity())
        if hasattr(residual, "scale"):
            del residual.scale
    made: dict[nn.Module, nn.Module] = {}
    for path, module in list(root.named_modules(remove_duplicate=False)):
        make = _reference_of(module)
        if make is not None and _lives(root, path, module):
            if module not in made:
                made[module] = make(module)
            set_module(root, path, made[module])
    return root[0].train()


def _reference_of(module: nn.Module) -> Make | None:
    """The entry of the nearest base class."""
    return next((REFERENCES[base] for base in type(module).__mro__ if base in REFERENCES), None)


def _lives(root: nn.Module, path: str, module: nn.Module) -> bool:
    """False when a layer around it was replaced already."""
    try:
        return root.get_submodule(path) is module
    except AttributeError:
        return False


def _replace(root: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for path, module in list(root.named_modules(remove_duplicate=False)):
        if module is old:
            set_module(root, path, new)
