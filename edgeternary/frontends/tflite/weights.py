"""The real weights of a .tflite file, for a network that begins from them or learns from its model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.tflite.file import read_model

LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
Real = NDArray[np.float32]


def real_weights(path: Path) -> list[tuple[Real, Real]]:
    """(weights, bias) of each layer, in the order of the file.

    Weights are (outputs, inputs / groups, height, width) as in torch, (outputs, inputs) in a dense layer.
    Integers are multiplied by their scales.

    EdgeTernaryError if it is no such file.
    """
    model, found = read_model(path), []
    for operator in model.operators:
        if operator.type not in LAYERS:
            continue
        kernel, bias = (model.tensors[k] for k in operator.inputs[1:3])
        assert kernel.data is not None and bias.data is not None
        real = kernel.data.astype(np.float32)
        if kernel.scales.size:  # one, or one for each index of an axis
            real = np.moveaxis(np.moveaxis(real, kernel.axis, -1) * kernel.scales, -1, kernel.axis)
        if real.ndim == 4:
            real = real.transpose((3, 0, 1, 2) if operator.type.startswith("DEPTHWISE") else (0, 3, 1, 2))
        found.append((np.ascontiguousarray(real, np.float32), bias.data.astype(np.float32)))
    return found
