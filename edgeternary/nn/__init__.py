"""Quantisation-aware PyTorch layers whose eval mode is integer arithmetic, and `convert` for existing models.

Integer codes travel between layers in float tensors. A model takes raw integer codes too (uint8 pixels, say):
its first batch-norm normalises them.
"""

from edgeternary.nn.activations import Activation, RPReLU, RSign
from edgeternary.nn.bit_linear import BitLinear
from edgeternary.nn.blocks import BasicBlock, DepthwiseSeparable
from edgeternary.nn.checkpoint import freeze, load_codes, save_codes
from edgeternary.nn.coding import CODINGS, latency_code, random_rate_code, rate_code
from edgeternary.nn.conv import Conv1d, Conv2d, OutputConv2d
from edgeternary.nn.convert import convert, inspect
from edgeternary.nn.converting.from_file import inspected
from edgeternary.nn.converting.report import Refused, Report
from edgeternary.nn.cost import COSTS, CostModel, CostPenalty, LayerCost, layer_costs
from edgeternary.nn.curve import Curve
from edgeternary.nn.encode import Binarize, BitPlane, BitPlanes, Thermometer
from edgeternary.nn.float_reference import float_reference
from edgeternary.nn.gumbel import Choice, gumbel_softmax
from edgeternary.nn.input_spec import InputSpec
from edgeternary.nn.linear import Linear, Output
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.nn.luts.count import GroupSum
from edgeternary.nn.luts.encoder import Comparisons
from edgeternary.nn.luts.fit import fit_tables
from edgeternary.nn.luts.gradients import TABLE_GRADIENTS
from edgeternary.nn.luts.layer import LutConv2d, LutLayer
from edgeternary.nn.luts.penalty import TablePenalty
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.pool import AvgPool, GlobalAvgPool, MaxPool, SumPool
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.sparsity import SparsitySchedule, set_sparsity, zero_shares
from edgeternary.nn.spiking import IF, LIF, Readout, Spiking
from edgeternary.nn.streaming import Streaming, TemporalBlock
from edgeternary.nn.structure import Add, Concat, Flatten, Mul, Residual, Scale, Upsample
from edgeternary.nn.surrogates import SURROGATES, set_progress

__all__ = [
    "Activation",
    "Add",
    "AvgPool",
    "BasicBlock",
    "BatchNorm",
    "Binarize",
    "BitLinear",
    "BitPlane",
    "BitPlanes",
    "CODINGS",
    "COSTS",
    "Choice",
    "Comparisons",
    "Conv1d",
    "Conv2d",
    "CostModel",
    "CostPenalty",
    "Curve",
    "Concat",
    "DepthwiseSeparable",
    "Flatten",
    "GlobalAvgPool",
    "GroupSum",
    "IF",
    "InputSpec",
    "LIF",
    "LayerCost",
    "Linear",
    "LutConv2d",
    "LutLayer",
    "MatMulFreeLM",
    "MaxPool",
    "Mul",
    "Output",
    "OutputConv2d",
    "RPReLU",
    "RSign",
    "Readout",
    "Report",
    "Refused",
    "Requantize",
    "Residual",
    "SURROGATES",
    "Scale",
    "SparsitySchedule",
    "Spiking",
    "Streaming",
    "SumPool",
    "TABLE_GRADIENTS",
    "TablePenalty",
    "TemporalBlock",
    "Thermometer",
    "Upsample",
    "convert",
    "inspect",
    "inspected",
    "fit_tables",
    "freeze",
    "gumbel_softmax",
    "latency_code",
    "layer_costs",
    "load_codes",
    "random_rate_code",
    "rate_code",
    "replace_batch_norms",
    "save_codes",
    "set_progress",
    "set_sparsity",
    "float_reference",
    "zero_shares",
]
