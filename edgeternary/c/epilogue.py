"""What happens to each accumulator of a dense or conv2d kernel: stored, thresholded or requantized.

A kernel computes an integer `raw` from which the accumulator follows as

    acc[c] = gain * raw + offset[c]

(gain 1 and offset the bias for a plain kernel; a popcount has others). The epilogue folds gain and offset
into its constants: a threshold compares `raw` itself, see passes.affine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.kernel import Match
from edgeternary.c.layouts import Layout, Natural
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.stepping import Stepping, threshold_fields
from edgeternary.c.tables import Table, narrow
from edgeternary.cores import Core
from edgeternary.ir import Op, Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize, Threshold
from edgeternary.passes.affine import Affine


@dataclass(frozen=True)
class Epilogue:
    """Template fields and constants of what happens to each accumulator; see `_epilogue.c.j2`."""

    fields: Mapping[str, object]
    tables: Sequence[Table] = ()

    @property
    def bytes(self) -> int:
        """Of the constants."""
        return sum(int(table.data.nbytes) for table in self.tables)

    @property
    def levels(self) -> int:
        """Comparisons with thresholds."""
        return cast(int, self.fields.get("levels", 0))


def negated(follow: Op | None, channels: int) -> NDArray[np.bool_]:
    """Channels whose weights a kernel may store negated, so that all comparisons point the same way."""
    return follow.step < 0 if isinstance(follow, Threshold) else np.zeros(channels, bool)


def supports(follow: Op | None, layout: Layout) -> bool:
    """Whether the epilogue can write its result in `layout`: planes come from short thresholds only."""
    if isinstance(layout, Natural):
        return True
    return isinstance(follow, Threshold) and Stepping.of(follow).short


def of(match: Match, layout: Layout, affine: Affine, negate: NDArray[np.bool_]) -> Epilogue:
    """The epilogue of a match; see `build`."""
    return build(match.follow, (match.outs[0], match.out), layout, affine, negate, match.core)


Made = Callable[[Match, Layout, Affine, NDArray[np.bool_]], Epilogue]  # `of`, or another one like it


def build(
    follow: Op | None, values: tuple[Value, Value], layout: Layout, affine: Affine,
    negate: NDArray[np.bool_], core: Core,
) -> Epilogue:  # fmt: skip
    """The epilogue on `core` for values[0], accumulators, that become values[1] in `layout`.

    follow  None, a Threshold or a Requantize
    negate  channels for which `affine` describes -acc (allowed with a Threshold only)
    """
    acc, out = values
    if isinstance(follow, Threshold):
        stepping = Stepping.of(follow).negate(negate).spread()
        stepping = stepping.on_raw(affine)
        fields, tables = threshold_fields(stepping, out, layout)
        return Epilogue(fields, tables)
    if isinstance(follow, Requantize):
        return rescaled(rescale.rescaling(follow, acc, out, core, affine.offset), affine)
    tables, common = _offset(affine)
    return Epilogue({"kind": "store", "planes": 0, "ctype": out.type.ctype, **common}, tables)


def rescaled(found: rescale.Rescaling, affine: Affine) -> Epilogue:
    """The epilogue with this requantize of acc, which may hold the offset."""
    tables, common = _offset(replace(affine, offset=0 * affine.offset) if found.folded else affine)
    return Epilogue({**found.fields, **common}, [*tables, *found.tables])


def _offset(affine: Affine) -> tuple[list[Table], dict[str, object]]:
    """The table of offsets, left out where all are 0."""
    offset = affine.offset
    assert int(offset.min()) >= INT32_LO and int(offset.max()) <= INT32_HI
    if not np.any(offset):
        return [], {"gain": affine.gain, "has_offset": False}
    comment = "bias" if affine.gain == 1 else "acc = gain * raw + offset"
    return [Table("offset", narrow(offset), comment)], {"gain": affine.gain, "has_offset": True}
