"""What happens to sums of lanes, in every lane at once: a class for each kind, with all its text.

A sum S fits its lane of B bits once a constant is added. `plan` takes the first kind that can do it, in the
order of KINDS; each is offered only where the interval of S, from the real weights, proves that every lane
stays in [0, 2^B). `Sums`, which any sum can take, leaves the rest to the usual epilogue.
"""

from edgeternary.c.lanes.after.base import After, Case, LaneWise
from edgeternary.c.lanes.after.count import Count
from edgeternary.c.lanes.after.halves import Halves
from edgeternary.c.lanes.after.natural import Bytes
from edgeternary.c.lanes.after.scale import Scale
from edgeternary.c.lanes.after.select import Select
from edgeternary.c.lanes.after.shift import Shift
from edgeternary.c.lanes.after.sums import Sums

KINDS: tuple[type[After], ...] = (Bytes, Shift, Scale, Select, Count, Halves)
ADDED: tuple[type[LaneWise], ...] = (Shift, Scale, Count)  # kinds that also follow a sum of two values


def plan(case: Case) -> After | None:
    """The first of KINDS that `case` allows."""
    return next((found for kind in KINDS if (found := kind.plan(case))), None)


def plan_added(case: Case) -> LaneWise | None:
    """The first of ADDED that `case` allows."""
    return next((found for kind in ADDED if (found := kind.plan(case))), None)


__all__ = ["ADDED", "KINDS", "After", "Case", "LaneWise", "Sums", "plan", "plan_added"]
