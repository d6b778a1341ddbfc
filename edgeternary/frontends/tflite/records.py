"""What a .tflite file holds, as plain records: everything that a reader needs, checked and copied."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError

INTEGERS = ("INT4", "INT8", "INT16")  # types of the tensors that a graph computes with


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file.

    name     what it is called here; full_name as the file says, which converters join from several layers
    shape    with the batch axis
    type     its name in the format's schema, such as INT8
    scales   float32, none where it is not quantized, one, or one for each index of `axis`
    zeros    int64, as many as scales
    data     the content of a constant, of `shape`; None for what is computed
    """

    index: int
    name: str
    full_name: str
    shape: tuple[int, ...]
    type: str
    scales: NDArray[np.float32]
    zeros: NDArray[np.int64]
    axis: int
    data: np.ndarray | None

    @property
    def scale(self) -> np.float32:
        """The one scale; EdgeTernaryError for none or several."""
        if self.scales.size != 1:
            kind = "several scales" if self.scales.size else "no scale"
            raise EdgeTernaryError(
                f"tensor {self.name!r} has {kind}",
                "activations have one scale for the whole tensor",
                "quantize the model in full to integers",
            )
        return np.float32(self.scales[0])

    @property
    def zero(self) -> int:
        """The zero point that goes with `scale`."""
        self.scale  # noqa: B018 - refuses none or several
        return int(self.zeros[0])

    @property
    def bits(self) -> int:
        """Of an element, 8 or 16; EdgeTernaryError for other types."""
        if self.type not in ("INT8", "INT16"):
            raise EdgeTernaryError(
                f"tensor {self.name!r} is {self.type}",
                "a graph computes with int8 and int16 activations",
                "convert the model with full-integer quantization, inputs and outputs too",
            )
        return 8 if self.type == "INT8" else 16

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest code."""
        return -(1 << self.bits - 1), (1 << self.bits - 1) - 1


@dataclass(frozen=True)
class Operator:
    """An operator of the file.

    name     of its first output
    inputs   indices of tensors, -1 for one that is left out
    options  of its type, by their names in the schema
    """

    index: int
    name: str
    type: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, float]


@dataclass(frozen=True)
class Model:
    """The main graph of a file; inputs and outputs are indices of tensors."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
