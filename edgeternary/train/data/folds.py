"""Parts of a data set whose groups (speakers, or single samples) are apart, in folds that do not depend on
the machine."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import USAGE, EdgeTernaryError

Places = NDArray[np.int64]
PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Folds:
    """folds  number of parts of which each is the test set once; fold: which one is it now
    validation  share of the other groups that validates
    seed        of the draw
    """

    folds: int = 5
    fold: int = 0
    validation: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.folds <= 1000 or not 0 <= self.fold < self.folds:
            raise EdgeTernaryError(
                f"fold = {self.fold} of folds = {self.folds}",
                "there are 2 or more folds, and the first is fold 0",
                f"give 0 to {max(self.folds, 2) - 1}",
                USAGE,
            )
        check_share(self.validation)

    def parts(self, groups: Sequence[str], kinds: Sequence[str]) -> tuple[Places, Places, Places]:
        """Indices of the samples that train, validate and test, each in order.

        groups  of each sample; a group is never in two parts
        kinds   of each sample: groups of one kind (the speakers, say) are divided evenly
        """
        kind_of = dict(zip(groups, kinds))
        fold_of: dict[str, int] = {}
        rest: list[str] = []
        for kind in sorted(set(kind_of.values())):
            names = shuffled((name for name, own in kind_of.items() if own == kind), self.seed)
            fold_of |= {name: rank % self.folds for rank, name in enumerate(names)}
            others = [name for name in names if fold_of[name] != self.fold]
            rest += others[: max(1, round(self.validation * len(others)))]
        held = set(rest)
        part = [2 if fold_of[name] == self.fold else int(name in held) for name in groups]
        return tuple(np.flatnonzero(np.array(part) == k) for k in range(3))  # type: ignore[return-value]


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order that only the names and the seed decide."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def check_share(share: float) -> None:
    if not 0 < share < 1:
        raise EdgeTernaryError(
            f"validation = {share}", "it is a share, above 0 and below 1", "give 0.1", USAGE
        )


def check_parts(
    parts: Sequence[Places], y: NDArray[np.integer], labels: Sequence[str], groups: Sequence[str], what: str
) -> None:
    """EdgeTernaryError for a class that some part lacks; `what` names what the groups are, "speaker" say."""
    for label, name in enumerate(labels):
        for part, places in zip(PARTS, parts):
            if not np.any(y[places] == label):
                count = len({groups[i] for i in np.flatnonzero(y == label)})
                raise EdgeTernaryError(
                    f"class {name!r} has no {part} sample",
                    f"it has {count:,} {what}{'s' * (count != 1)}, and no {what} is in two parts",
                    "give fewer folds or another seed, add samples, or leave the class out with `classes`",
                )
