"""Where the elements of a tensor with channels first lie in a graph, whose channels are last."""

import math

import numpy as np
from numpy.typing import NDArray


def graph_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(C, H, W) -> (H, W, C), (C, L) -> (1, L, C), (n,) -> (n,), () -> (1,)."""
    if len(shape) <= 1:
        return shape or (1,)
    return (*(shape[1:] if len(shape) == 3 else (1, shape[1])), shape[0])


def channels_last_order(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """order[i] for (C, H, W), (C, L), (n,) or (): where element i lies in the graph."""
    if len(shape) <= 1:
        return np.arange(math.prod(shape))
    indices = np.arange(int(np.prod(shape))).reshape(graph_shape(shape))
    return np.ascontiguousarray(np.moveaxis(indices, -1, 0)).reshape(-1)
