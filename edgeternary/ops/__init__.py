"""Operations: what each one means, in numpy. Every module of this folder is imported and registers its op."""

import importlib
import pkgutil

from edgeternary.ops.add import Add
from edgeternary.ops.argmax import Argmax
from edgeternary.ops.compare import Compare
from edgeternary.ops.concat import Concat
from edgeternary.ops.conv2d import Conv2d
from edgeternary.ops.dense import Dense
from edgeternary.ops.gather import Gather
from edgeternary.ops.group_count import GroupCount
from edgeternary.ops.log_mel import LogMel
from edgeternary.ops.lookup import Lookup
from edgeternary.ops.lut import Lut
from edgeternary.ops.max_pool import MaxPool
from edgeternary.ops.mul import Mul
from edgeternary.ops.requantize import Requantize
from edgeternary.ops.reshape import Reshape
from edgeternary.ops.rms_norm import RmsNorm
from edgeternary.ops.shift import Shift
from edgeternary.ops.slice import Slice
from edgeternary.ops.sum_pool import SumPool
from edgeternary.ops.threshold import Threshold
from edgeternary.ops.upsample import Upsample

__all__ = [
    "Add", "Argmax", "Compare", "Concat", "Conv2d", "Dense", "Gather", "GroupCount", "LogMel", "Lookup",
    "Lut", "MaxPool", "Mul", "Requantize", "Reshape", "RmsNorm", "Shift", "Slice", "SumPool", "Threshold",
    "Upsample",
]  # fmt: skip

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
