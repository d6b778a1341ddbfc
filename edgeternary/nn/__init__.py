"""Quantisation-aware PyTorch layers whose eval mode is integer arithmetic, and `convert` for existing models.

Between layers travel integer codes in float tensors. A model takes raw integer codes too (uint8 pixels, say):
its first batch-norm does the normalisation.
"""

from edgeternary.nn.activations import Activation
from edgeternary.nn.checkpoint import freeze, load_codes, save_codes
from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.convert import convert
from edgeternary.nn.linear import Linear, Output
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.pool import AvgPool, GlobalAvgPool, MaxPool, SumPool
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.structure import Flatten, Residual

__all__ = [
    "Activation",
    "AvgPool",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Flatten",
    "GlobalAvgPool",
    "Linear",
    "MaxPool",
    "Output",
    "Requantize",
    "Residual",
    "SumPool",
    "convert",
    "freeze",
    "load_codes",
    "replace_batch_norms",
    "save_codes",
]
