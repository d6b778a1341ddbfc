"""The order of a tensor's axes: channels last here, channels first in torch."""

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError

Shape = tuple[int, ...]
MIXES = "to reshape would mix up their elements"


def check_layout(
    model: str, shape: Shape, given: NDArray[Any], axes: Sequence[str], what: str = "inputs"
) -> NDArray[Any]:
    """`given` as (one axis for each name of `axes`, *shape); the 1 of a one-channel map may be missing.

    EdgeTernaryError for another shape says what turns it into this one without mixing up elements.
    """
    lead = len(axes)
    if given.shape[lead:] == shape[:-1] and shape[-1] == 1:
        given = given[..., None]
    if given.ndim == lead + len(shape) and given.shape[lead:] == shape:
        return given
    last = ", channels last" if len(shape) > 1 else ""
    raise EdgeTernaryError(
        f"the {what} have the shape {given.shape}",
        f"model {model!r} takes ({', '.join([*axes, *map(str, shape)])}){last}",
        remedy(given.shape, shape, axes),
    )


def remedy(given: Shape, shape: Shape, axes: Sequence[str]) -> str:
    """What turns `given` into (axes, *shape)."""
    lead = len(axes)
    rest = given[lead:]
    if len(rest) < len(shape) and given[len(given) - len(shape) :] == shape:
        missing = axes[len(given) - len(shape) :]
        index = ", ".join([":"] * (lead - len(missing)) + ["None"] * len(missing))
        return f"add the axis of {' and '.join(missing)}: x[{index}]"
    if lead == 2 and len(shape) == 1 and len(given) == 3 and given[1] == shape[0]:
        return f"they are channels first, as in torch: x.transpose(0, 2, 1); {MIXES}"
    if len(shape) == 3 and len(rest) == 3 and sorted(rest) == sorted(shape):
        first = rest == (shape[2], *shape[:2])
        how = "they are channels first, as in torch" if first else "their axes have another order"
        order = (*range(lead), *(lead + i for i in (_CHANNELS_FIRST if first else _order(rest, shape))))
        return f"{how}: x.transpose({', '.join(map(str, order))}); {MIXES}"
    if len(shape) == 3 and shape[0] == 1 and len(rest) == 2 and rest in (shape[1:], shape[:0:-1]):
        whole, swapped = f"x[{':, ' * lead}None]", f"x.swapaxes(-1, -2)[{':, ' * lead}None]"
        if rest == shape[1:]:
            both = f" (where its channels come first, {swapped})" if shape[1] == shape[2] else ""
            return f"add the height of 1: {whole}{both}"
        return f"they are channels first, as in torch: {swapped}; {MIXES}"
    if math.prod(rest) != math.prod(shape) or len(given) <= lead:
        return "give samples of this shape"
    if len(shape) == 1:
        return (
            "flatten each sample in the order in which the model was trained (torch flattens channels first)"
        )
    flat = f"x.reshape({', '.join([*map(str, given[:lead]), *map(str, shape)])})"
    if shape[-1] == 1 or len(shape) < 3:
        return f"reshape them: {flat}"
    torch = f"x.reshape({', '.join(map(str, [*given[:lead], shape[2], *shape[:2]]))})"
    moved = f"{torch}.transpose({', '.join(map(str, (*range(lead), lead + 1, lead + 2, lead)))})"
    return f"where torch flattened them (channels first), {moved}; where channels are last, {flat}"


_CHANNELS_FIRST = (1, 2, 0)


def _order(given: Shape, shape: Shape) -> Sequence[int]:
    """Axes of `given` in the order of `shape`; of equal sizes the first comes first."""
    left = list(range(len(given)))
    found = []
    for size in shape:
        found.append(next(i for i in left if given[i] == size))
        left.remove(found[-1])
    return found
