"""Coverage-guided search for faults of a reader: changed files that reach new lines are changed further.

python -m tests.fuzz.search NAME|all SECONDS [SEED]     keeps what is a fault in tests/fuzz/corpus/NAME

Seconds are of the processor. A fault is an exception that is no clear error, a file that takes 20 s, or one
that takes 512 MB.

With `atheris` as a fourth argument, and that package, the search is libFuzzer's, which also looks at branches
and comparisons; else lines are traced here.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from tests.fuzz.readers import CORPUS, READERS, Reader, kept, present

NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63 - 1,
    2**64 - 1,
)
WORDS = (
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"true",
    b"99999999999999999999",
    b"../x",
    b"\n",
)
MOST = 200_000  # bytes of a changed file
SLOW = 20.0  # seconds of the processor that no file may take
MEMORY = 512 << 10  # KB that no file may add to the most that the process has had


def changed(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Some bits, bytes, numbers or words are others, or parts are missing, twice there, or another file's."""
    made = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 1, 2, 4, 8]))):
        at = int(rng.integers(len(made) + 1))
        size = int(rng.integers(1, 1 + max(1, min(64, len(made)))))
        match int(rng.integers(8)):
            case 0 if made:
                made[at % len(made)] ^= 1 << int(rng.integers(8))
            case 1 if made:
                made[at % len(made)] = int(rng.integers(256))
            case 2:
                width = int(rng.choice([1, 2, 4, 8]))
                number = int(rng.choice(len(NUMBERS)))
                made[at : at + width] = (NUMBERS[number] % 256**width).to_bytes(width, "little")
            case 3:
                made[at : at + int(rng.integers(8))] = WORDS[int(rng.integers(len(WORDS)))]
            case 4:
                del made[at : at + size]
            case 5:
                made[at:at] = made[at : at + size]
            case 6:
                start = int(rng.integers(len(other) + 1))
                made[at : at + size] = other[start : start + size]
            case _:
                made[:] = made if rng.random() < 0.8 else made[:at]
    return bytes(made[:MOST])


class Slow(BaseException):
    """A file that takes longer than SLOW; no reader catches it as an error of the file."""


@contextmanager
def limited() -> Iterator[None]:
    """Raises Slow, or MemoryError where the process has grown by MEMORY."""

    def late(*_: object) -> None:
        raise Slow(f"longer than {SLOW:.0f} s")

    before, most = signal.signal(signal.SIGPROF, late), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most
    if grown > MEMORY:
        raise MemoryError(f"{grown >> 10} MB")


def spent() -> float:
    """Seconds of the processor that this process and its children have taken."""
    return sum(os.times()[:4])


class Lines:
    """The lines of the reader's modules that a call reaches, and that none has reached before."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.modules = modules
        self.seen: set[tuple[str, int]] = set()
        self.new = False

    def __enter__(self) -> Lines:
        self.new = False
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if any(part in frame.f_code.co_filename for part in self.modules) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        where = (frame.f_code.co_filename, frame.f_lineno)
        if where not in self.seen:
            self.seen.add(where)
            self.new = True
        return self._line


def search(name: str, seconds: float, seed: int, most: int = 100) -> dict[str, Any]:
    """Files tried, their outcomes, lines reached, and the faults: {text: file}."""
    reader, rng, outcomes = READERS[name], np.random.default_rng(seed), Counter[str]()
    lines, faults = Lines(reader.modules), dict[str, str]()
    pool = [*reader.seeds(), *kept(name)]
    queue, start = list(pool), spent()
    while len(faults) < most and (queue or spent() - start < seconds):
        mine = (
            pool[int(rng.integers(len(pool)))]
            if rng.random() < 0.5
            else pool[-1 - int(rng.integers(min(8, len(pool))))]
        )
        content = queue.pop() if queue else changed(rng, mine, pool[int(rng.integers(len(pool)))])
        try:
            with limited(), lines:
                outcomes[reader.outcome(content)] += 1
        except (Exception, Slow) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {where.filename.rpartition('/')[2]}:{where.lineno}"
            if key not in faults:
                faults[key] = f"{keep(name, content)}: {error}"[:300]
            outcomes["fault"] += 1
        if lines.new and content not in pool:
            pool.append(content)
    seconds = round(spent() - start)
    return {
        "reader": name,
        "seconds": seconds,
        **outcomes,
        "lines": len(lines.seen),
        "pool": len(pool),
        "faults": faults,
    }


def keep(name: str, content: bytes) -> str:
    """The file in the corpus."""
    path = CORPUS / name / hashlib.sha256(content).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def by_atheris(name: str, seconds: float, seed: int) -> None:
    """The same by libFuzzer, which ends the process; a fault leaves a file crash-* in the current folder."""
    import atheris

    reader: Reader = READERS[name]
    start = CORPUS.parent / ".start" / name
    start.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate([*reader.seeds(), *kept(name)]):
        (start / str(number)).write_bytes(content)
    atheris.instrument_all()
    options = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=20000", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options, str(start)], lambda content: reader.outcome(content))
    atheris.Fuzz()


if __name__ == "__main__":
    wanted, limit = sys.argv[1], float(sys.argv[2])
    start_seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if sys.argv[4:] == ["atheris"]:
        by_atheris(wanted, limit, start_seed)
    rows = []
    for one in present() if wanted == "all" else [wanted]:
        rows.append(search(one, limit, start_seed))
        print(rows[-1], flush=True)
    sys.exit(any(row["faults"] for row in rows))
