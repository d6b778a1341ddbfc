"""Files by class in three parts: by the folders train and test, or in folds whose groups are apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.data.folders import ByClass
from edgeternary.train.data.folds import Folds, Places, check_parts, shuffled


@dataclass(frozen=True)
class Grouping:
    """What may not be in two parts at once.

    key      the argument of the loader, and the word for a group: "speaker", "group"
    pattern  a regular expression that finds the group in a file's name: its first group, or without a group
             what is before it. "": every file is a group
    alone    the word for a group then
    """

    key: str
    pattern: str
    alone: str = "file"

    @property
    def word(self) -> str:
        return self.key if self.pattern else self.alone


def divide(
    found: ByClass, used: Places, y: NDArray[np.integer], by: Grouping, folds: Folds
) -> tuple[list[Places], str]:
    """Indices into `used`, the files that train, validate and test, and a text that says how.

    y: the class of each used file. EdgeTernaryError for a class that some part lacks.
    """
    groups, kinds, without = groups_of(found, by)
    groups, kinds = [groups[i] for i in used], [kinds[i] for i in used]
    if found.split:
        parts = named_parts([found.files[i][2] for i in used], groups, kinds, folds, by)
        how = "folders train and test"
    else:
        parts = folds.parts(groups, kinds)
        how = f"fold {folds.fold} of {folds.folds} by {by.word}"
    check_parts(parts, y, found.labels, groups, by.word)
    count = len({group for group, kind in zip(groups, kinds) if not kind}) if by.pattern else 0
    notes = [how, f"{count:,} {by.key}s" if count else "", without]
    return list(parts), ", ".join(note for note in notes if note)


def groups_of(found: ByClass, by: Grouping) -> tuple[list[str], list[str], str]:
    """(group, kind of group) of each file, and a text on classes without groups.

    In a class where no name has the pattern, such as recorded noise, each file is a group.
    """
    pattern = by.pattern
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise EdgeTernaryError(
            f"{by.key} = {pattern!r}", f"it is no regular expression: {error}", 'as in "_nohash_"', USAGE
        ) from error
    names = [rule.search(path.stem) if pattern else None for path, _, _ in found.files]
    spoken = {label for match, (_, label, _) in zip(names, found.files) if match}
    if pattern and not spoken:
        called = f"a file is called {found.files[0][0].name}"
        raise EdgeTernaryError(f"{by.key} = {pattern!r} is in no file name", called, "correct the pattern")
    groups, kinds = [], []
    for match, (path, label, _) in zip(names, found.files):
        if match is None and label in spoken:
            raise EdgeTernaryError(
                f"{path.name} of class {found.labels[label]!r} has no {by.key}",
                f"{by.key} = {pattern!r} is in other names of the class, not in this one",
                "rename the file, or correct the pattern",
            )
        if match is None:
            kinds.append(found.labels[label])
            groups.append(f"{found.labels[label]}/{path.name}")
        else:
            kinds.append("")
            groups.append((match[1] if rule.groups else path.stem[: match.start()]) or path.stem)
    apart = [name for label, name in enumerate(found.labels) if label not in spoken] if pattern else []
    return groups, kinds, f"{', '.join(apart)} without {by.key}s" if apart else ""


def named_parts(
    names: Sequence[str], groups: Sequence[str], kinds: Sequence[str], folds: Folds, by: Grouping
) -> tuple[Places, Places, Places]:
    """Indices by the folders train, validation and test; without validation, some of the training groups."""
    part = np.array(names)
    train, held, test = (np.flatnonzero(part == name) for name in ("train", "validation", "test"))
    if not held.size:
        chosen: set[str] = set()
        for kind in {kinds[i] for i in train}:
            order = shuffled({groups[i] for i in train if kinds[i] == kind}, folds.seed)
            chosen |= set(order[: max(1, round(folds.validation * len(order)))])
        inside = np.array([groups[i] in chosen for i in train], bool)
        train, held = train[~inside], train[inside]
    twice = {groups[i] for i in test} & {groups[i] for i in train} if by.pattern else set()
    if twice:
        raise EdgeTernaryError(
            f"{by.key} {min(twice)!r} trains and tests",
            f"so do {len(twice) - 1:,} others" if len(twice) > 1 else "the figures would be too good",
            f"move the files of a {by.key} to one part, or leave `{by.key}` out",
        )
    return train, held, test
