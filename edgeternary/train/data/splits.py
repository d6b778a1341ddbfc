"""Takes the validation samples from the training set. The test set is not used."""

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array, Split


def cut_last(x: Array, y: Array, count: int) -> tuple[Split, Split]:
    """(training, validation): the last `count` samples validate."""
    if not 0 < count < len(x):
        raise EdgeTernaryError(
            f"{count} validation samples cannot be taken from {len(x)}", "", f"give 1..{len(x) - 1}"
        )
    return (x[:-count], y[:-count]), (x[-count:], y[-count:])


def cut_stratified(x: Array, y: Array, share: float, seed: int = 0) -> tuple[Split, Split]:
    """(training, validation): round(share * n) samples of each class, at least one, drawn with `seed`.

    Both parts keep the order of x. EdgeTernaryError if no training sample of a class would be left.
    """
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        count = max(1, round(share * len(members)))
        if not 0 < share < 1 or count >= len(members):
            raise EdgeTernaryError(
                f"{share:.0%} of class {label} cannot validate", f"the class has {len(members)} samples"
            )
        chosen[generator.permutation(members)[:count]] = True
    return (x[~chosen], y[~chosen]), (x[chosen], y[chosen])
