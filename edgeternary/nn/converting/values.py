"""What a tensor of the float model is in the converted one, while that is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, fx, nn

from edgeternary.nn.activations import StepSize
from edgeternary.nn.levels import Levels
from edgeternary.nn.linear import Quantized


@dataclass(eq=False)
class Moved:
    """Where elements lie after reshapes and permutations, where that is not as a graph has a value of `now`.

    node, shape  the value before the moves, (N, *shape), which lies as a graph has it
    places       places[i]: where element i of torch's (N, *now) lies in the graph's value
    source       the last move in the float model
    steps        the moves: (function, argument) of each
    turned       codes that lie as a graph has them, once made
    """

    node: fx.Node
    shape: tuple[int, ...]
    places: Tensor
    source: fx.Node
    now: tuple[int, ...]
    steps: tuple[tuple[Callable[..., Any], Any], ...] = ()
    turned: Codes | None = None


@dataclass(eq=False)
class Codes:
    """Integer codes, made by `node` of the new graph; a code stands for code * step of `owner`.

    levels  their type;  owner  the quantiser whose step they count in, None where no other may share it
    wide    they are a sum or a product, which a layer takes but which is no activation
    affine  of the model's input alone: (scale, offset), value = code * scale + offset
    pad     zeros around the map that the next layer puts there: (top, left, bottom, right)
    moved   where the elements lie, None where that is as a graph has them
    """

    node: fx.Node
    levels: Levels
    owner: StepSize | None = None
    affine: tuple[Tensor, Tensor] | None = None
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    moved: Moved | None = None


@dataclass(eq=False)
class Sums:
    """Integer accumulators, made by `node`: of a layer, or of a pool over codes. channels: of axis 1."""

    node: fx.Node
    channels: int
    layer: Quantized | None = None
    unsigned: bool = False


@dataclass(frozen=True)
class Elementwise:
    """A function of one element between a layer and a quantiser.

    call      the function, or a layer
    path      of the layer, or a name
    unsigned  it is never below 0;  exact  it is one of the functions that lowering folds into thresholds
    relu      it is max(x, 0), which the codes of an unsigned type do as well; top: it also ends there
    """

    call: Callable[[Tensor], Tensor]
    path: str
    unsigned: bool = False
    exact: bool = False
    relu: bool = False
    top: float | None = None


@dataclass(eq=False)
class Float:
    """A float value that is not made yet: curves(norm(base)), base integers.

    source  the call of the float model that gives the same; before: the one that norm alone gives
    """

    base: Codes | Sums
    source: fx.Node
    before: fx.Node
    norm: nn.Module | None = None
    norm_path: str = ""
    curves: tuple[Elementwise, ...] = ()
    quantized: dict[str, Codes] = field(default_factory=dict)  # by kind: made already


@dataclass(eq=False)
class Made:
    """A float value that the new graph makes: after layers of edgeternary.nn that were there before."""

    node: fx.Node
    source: fx.Node


@dataclass(eq=False)
class Logits:
    """Integers times one scale, the output or on its way there."""

    node: fx.Node


@dataclass(eq=False)
class Constant:
    """A tensor or a number that does not depend on the input."""

    value: object


@dataclass(eq=False)
class Several:
    """A tuple of values, such as chunk() gives."""

    parts: tuple[Any, ...]


@dataclass(eq=False)
class Shuffled:
    """Codes of the shape `shape` between two moves: places (1, ...), each element's index in them."""

    codes: Codes
    shape: tuple[int, ...]
    places: Tensor


@dataclass(eq=False)
class Lost:
    """What comes of a refused call: nothing after it is refused for that."""


Value = Codes | Sums | Float | Made | Logits | Constant | Several | Shuffled | Lost
