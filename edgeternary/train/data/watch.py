"""Who hears how far the reading of a data set is: lines on stderr, or what `told` names."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[str, int, int], None]  # (what, done, total)
LINES = 10  # at most, for one data set


def _print(what: str, done: int, total: int) -> None:
    if done == total or done * LINES // total > (done - 1) * LINES // total:
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr, flush=True)


_told: ContextVar[Progress] = ContextVar("told", default=_print)


@contextmanager
def told(progress: Progress) -> Iterator[None]:
    """In the block, loaders call `progress`."""
    token = _told.set(progress)
    try:
        yield
    finally:
        _told.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """Says that `done` of `total` samples were read."""
    _told.get()(what, done, total)
