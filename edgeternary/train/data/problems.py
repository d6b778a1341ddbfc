"""Files that a loader cannot use: all of them in one error, or skipped and counted."""

from collections import Counter
from dataclasses import dataclass, field

from edgeternary.errors import EdgeTernaryError

SHOWN = 5


@dataclass
class Problems:
    """skip: whether the user asked that such files are left out."""

    skip: bool
    found: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, path: object, kind: str, why: str, remedy: str = "") -> None:
        """kind: the words that count such files, as in "3 broken"."""
        self.found.append((str(path), kind, why, remedy))

    def settle(self, total: int) -> str:
        """How many files of `total` were skipped, and why, as text; "" for none.

        EdgeTernaryError that names the first files, where skipping was not asked for.
        """
        if not self.found:
            return ""
        kinds = Counter(kind for _, kind, _, _ in self.found)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        if self.skip and len(self.found) < total:
            return f"{len(self.found):,} of {total:,} files skipped: {counts}"
        path, _, why, remedy = self.found[0]
        more = ", ".join(f"{other} ({kind})" for other, kind, _, _ in self.found[1:SHOWN])
        rest = f"; also {more}{', ...' if len(self.found) > SHOWN else ''}" if more else ""
        ways = [way for way in dict.fromkeys(way for *_, way in self.found) if way][:2]
        if not self.skip:
            ways.append("skip = true leaves such files out")
        raise EdgeTernaryError(
            f"{len(self.found):,} of {total:,} files cannot be used: {counts}",
            f"{path}: {why}{rest}",
            "; ".join(ways) or remedy,
        )
