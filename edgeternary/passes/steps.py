"""Thresholds from any monotone per-channel function of integers, such as batch-norm and quantiser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError

WHOLE_INTERVAL_LIMIT = 1 << 27  # channels x integers that are checked one by one
CHUNK = 1 << 22

Ints = NDArray[np.int64]
Function = Callable[[Ints], Ints]


@dataclass(frozen=True)
class Steps:
    """y = base[c] + step[c] * count(x >= t[c, k]); t int32 (C, K) ascending, base and step int32 (C,)."""

    t: NDArray[np.int32]
    base: NDArray[np.int32]
    step: NDArray[np.int32]

    def __call__(self, x: Ints) -> Ints:
        """x (C, n) -> codes (C, n), int64."""
        y = np.zeros(x.shape, np.int64)
        for k in range(self.t.shape[1]):
            y += x >= self.t[:, k, None]
        return y * self.step[:, None] + self.base[:, None]


def steps(
    f: Function,
    lo: int,
    hi: int,
    levels: Sequence[int],
    name: str = "activation",
    limit: int | None = None,
) -> Steps:
    """Finds the thresholds of f on the integers lo..hi.

    f maps int64 (C, n), one row per channel, or (1, n), the same for all, to codes (C, n), each of `levels`
    (ascending, evenly spaced); within a channel it must rise or fall monotonically. Thresholds are
    bisected, f is compared with them at t - 1, t and both ends, and on the whole interval where C * (hi -
    lo + 1) <= limit (2^27). An unreachable threshold is hi + 1; a constant channel has step 0.
    EdgeTernaryError, naming `name`, for codes outside `levels` or a non-monotone channel.
    """
    codes = np.asarray(levels, np.int64)
    found = bisect(f, lo, hi, codes, name)
    _verify(found, f, (lo, hi), codes, name, limit)
    return found


def bisect(f: Function, lo: int, hi: int, codes: Ints, name: str = "activation") -> Steps:
    """`steps` for an f that is known to be monotone in each channel, without the proof."""
    gap = int(codes[1] - codes[0])
    first, last = f(np.array([[lo]], np.int64)), f(np.array([[hi]], np.int64))
    _check_levels(np.concatenate([first, last], 1), codes, name)
    step = np.sign(last - first)[:, 0] * gap
    rising = np.where(step < 0, -1, 1)[:, None]  # work on rising * f, which ascends
    wanted = rising * first + gap * np.arange(1, len(codes))  # (C, K): the code that threshold k reaches

    below = np.full(wanted.shape, lo, np.int64)  # rising * f(below) < wanted
    above = np.where(wanted <= rising * last, hi, hi + 1).astype(np.int64)  # reaches wanted, or is hi + 1
    while np.any((above - below > 1) & (above <= hi)):
        middle = below + (above - below) // 2
        reached = rising * f(middle) >= wanted
        searching = above <= hi
        above = np.where(searching & reached, middle, above)
        below = np.where(searching & ~reached, middle, below)
    return Steps(above.astype(np.int32), first[:, 0].astype(np.int32), step.astype(np.int32))


def _verify(
    found: Steps, f: Function, interval: tuple[int, int], codes: Ints, name: str, limit: int | None
) -> None:
    lo, hi = interval
    channels, count = len(found.base), hi - lo + 1
    ends = np.broadcast_to(np.array([lo, hi], np.int64), (channels, 2))
    near = np.concatenate([np.clip(found.t.astype(np.int64) + d, lo, hi) for d in (-1, 0)] + [ends], 1)
    points = [near]
    if channels * count <= (WHOLE_INTERVAL_LIMIT if limit is None else limit):
        width = max(1, CHUNK // channels)
        points += [
            np.arange(a, min(a + width, hi + 1), dtype=np.int64)[None] for a in range(lo, hi + 1, width)
        ]
    for x in points:
        wide = np.broadcast_to(x, (channels, x.shape[1]))
        y = f(wide)
        _check_levels(y, codes, name)
        wrong = np.argwhere(y != found(wide))
        if len(wrong):
            channel, i = (int(v) for v in wrong[0])
            raise EdgeTernaryError(
                f"{name} is not monotone in channel {channel}",
                f"its code turns back at accumulator {int(wide[channel, i])}, so it is no set of thresholds",
                "use a function that only rises or only falls (ReLU, hard tanh; no negative slopes)",
            )


def _check_levels(y: Ints, codes: Ints, name: str) -> None:
    strange = y[~np.isin(y, codes)]
    if strange.size:
        raise EdgeTernaryError(
            f"{name} gives the code {int(strange.flat[0])}",
            f"its type has the codes {codes[0]} to {codes[-1]} in steps of {codes[1] - codes[0]}",
            "clamp it to these codes",
        )
