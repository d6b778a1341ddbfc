"""How a value of the graph lies in a .tflite file, and the error for a layer that has no exact form."""

from __future__ import annotations

from dataclasses import dataclass

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Op
from edgeternary.ir.types import Type

MOST_LEVELS = 255
LOW = -128  # the int8 code of index 0


@dataclass(frozen=True)
class Codes:
    """A tensor of the file: code = lo + gap * (element + 128), `levels` above lo; TFLite subtracts `zero`."""

    tensor: int
    shape: tuple[int, ...]
    lo: int
    gap: int
    levels: int
    scale: float
    zero: int = LOW

    @staticmethod
    def of(shape: tuple[int, ...], lo: int, gap: int, levels: int) -> Codes:
        """What an operator with a fused clamp can give: ReLU6 ends at index `levels`, int8 at 255."""
        return Codes(-1, shape, lo, gap, levels, 1.0 if levels == MOST_LEVELS else 6 / levels)

    @property
    def centre(self) -> int:
        """The code that TFLite takes for 0."""
        return self.lo + self.gap * (self.zero - LOW)

    def element(self, code: int) -> int | None:
        """The int8 element for `code`, None where there is none."""
        index, rest = divmod(code - self.lo, self.gap)
        return index + LOW if rest == 0 and 0 <= index <= MOST_LEVELS else None


def of_type(type: Type) -> tuple[int, int, int]:
    """lo, gap and levels of the codes of `type`."""
    gap = 2 if type.name == "bipolar" else 1
    return type.lo, gap, (type.hi - type.lo) // gap


def refused(
    op: Op, why: str, remedy: str = "export it as onnx, which has integer operators"
) -> EdgeTernaryError:
    """The error for a layer that has no exact form."""
    return EdgeTernaryError(f"{op.kind} layer {op.name!r} cannot be written as TensorFlow Lite", why, remedy)
