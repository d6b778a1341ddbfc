"""requantize on natural inputs, all forms and roundings; int32 of several channels in vector registers."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import epilogue_helium
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.rescale.forms import Rescaling
from edgeternary.ops import Requantize

CHANNEL_BYTES = 12  # of tables
FEWEST = 8  # channels for which vectors are faster


class RequantizeNatural(Kernel):
    name = "requantize"
    code = 70
    patterns = (("requantize",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        shrinks = out.type.dtype.itemsize <= x.type.dtype.itemsize
        found = _in_vectors(match)
        each = epilogue_helium.cycles(x.channels) / x.channels if found else 0
        cost = Cost(out.size * (each or rescale.cycles(op, x, match.core)), CHANNEL_BYTES * x.channels)
        yield Offer((NATURAL,), NATURAL, cost, in_place=(0,) if shrinks else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        found = _in_vectors(match) or rescale.rescaling(op, x, out, match.core)
        after = Epilogue({**found.fields, "gain": 1, "has_offset": False}, found.tables)
        e, finish = after.fields, None
        if _in_vectors(match):
            e, finish = epilogue_helium.fields(after, x.channels)
        fields = {"e": e, "finish": finish, "pixels": x.size // x.channels, "channels": x.channels}
        return Body(found.tables, fields)


def _in_vectors(match: Match) -> Rescaling | None:
    op, x, out, core = cast(Requantize, match.ops[0]), match.ins[0], match.out, match.core
    if not core.vectors or x.type.dtype.itemsize != 4 or x.channels < FEWEST:
        return None
    return rescale.vectored(op, x, out, core, np.zeros(x.channels, np.int64))
