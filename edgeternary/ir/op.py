"""The base class of operations, and the registry that every back end and test reads."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getattr_static
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.value import Value

IntArray = NDArray[np.int32]
REGISTRY: dict[str, type[Op]] = {}


class Op(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One layer. Its name is also the name of the one value that it makes.

    A subclass gives `kind`, its fields, `infer`, `ref` and `examples`; nothing of C or HDL. Array
    fields are annotated `np.ndarray`; `packed` maps a field of codes to the field that holds the name
    of their type, so that files store it as bit planes. `arity` is the number of inputs, None for any.
    An `internal` op is one back end's own, in graphs that it makes for itself: in no registry and no file.
    """

    kind: ClassVar[str] = ""
    packed: ClassVar[dict[str, str]] = {}
    arity: ClassVar[int | None] = 1
    internal: ClassVar[bool] = False

    name: str
    inputs: tuple[str, ...]

    def __init_subclass__(cls, **options: Any) -> None:
        """TypeError, at the import, for an op that lacks one of its methods."""
        super().__init_subclass__(**options)
        if not cls.kind:  # a base of several ops
            return
        needed = ("infer", "ref") if cls.internal else ("infer", "ref", "examples")
        missing = [name for name in needed if getattr_static(cls, name) is getattr_static(Op, name)]
        if missing:
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} lacks {', '.join(missing)}")
        if not cls.internal:
            REGISTRY[cls.kind] = cls

    def infer(self, ins: Sequence[Value]) -> Value:
        """Shape, type and interval of the output; EdgeTernaryError (by layer name) for illegal fields."""
        raise NotImplementedError

    def ref(self, *xs: IntArray) -> IntArray:
        """The meaning, in numpy: int32 arrays (samples, *shape) in, one out. Callers checked the inputs."""
        raise NotImplementedError

    def macs(self, ins: Sequence[Value]) -> int:
        """Multiply-accumulates of one inference."""
        return 0

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Any]:
        """Small graphs (ir.Graph) around this op for the registry tests: odd sizes, extreme values."""
        raise NotImplementedError

    def fail(self, why: str, remedy: str = "", what: str = "") -> EdgeTernaryError:
        """The error to raise for this layer: `raise self.fail(...)`."""
        return EdgeTernaryError(what or f"{self.kind} layer {self.name!r} is not valid", why, remedy)

    def require(self, condition: bool | np.bool, why: str, remedy: str = "") -> None:
        if not condition:
            raise self.fail(why, remedy)

    def check_array(self, field: str, shape: tuple[int, ...], dtype: str = "int32") -> None:
        """Refuse an array field of another shape or dtype."""
        array = getattr(self, field)
        self.require(
            isinstance(array, np.ndarray) and array.shape == shape and array.dtype == np.dtype(dtype),
            f"{field} must be {dtype} of shape {shape}, it is {getattr(array, 'dtype', type(array))}"
            f" of shape {getattr(array, 'shape', None)}",
        )

    def result(self, shape: tuple[int, ...], type: Any, lo: int, hi: int) -> Value:
        """The output value of this layer."""
        return Value(name=self.name, shape=shape, type=type, lo=int(lo), hi=int(hi))
