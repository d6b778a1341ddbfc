"""Time series in CSV files, cut into windows: int8 codes (n, 1, window, channels)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.csv_file import Columns
from edgeternary.train.data.divided import Grouping, divide
from edgeternary.train.data.folders import ByClass, by_class, existing
from edgeternary.train.data.folds import Folds
from edgeternary.train.data.kept import kept
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.series import STEPS, channel_figures, quantise
from edgeternary.train.data.watch import tell

VARIABLE = "EDGETERNARY_CSV"
REMEDY = (
    'name a folder of CSV files CLASS/*.csv, or with a column of labels: [data] name = "csv", '
    'folder = "...", window = 128 in a recipe; or set EDGETERNARY_CSV'
)


@dataclass(frozen=True)
class Cut:
    """window, hop: rows of a sample, and from sample to sample."""

    window: int
    hop: int

    def __post_init__(self) -> None:
        for name in ("window", "hop"):
            if not 1 <= getattr(self, name) <= 1 << 16:
                raise EdgeTernaryError(f"{name} = {getattr(self, name)}", "it is 1 to 65,536 rows", "", USAGE)

    def windows(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, window, channels)"""
        starts = range(0, len(rows) - self.window + 1, self.hop)
        return np.array([rows[s : s + self.window] for s in starts]).reshape(-1, self.window, rows.shape[1])


def csv_windows(
    folder: Place = None,
    *,
    window: int,
    hop: int = 0,
    columns: Sequence[str] = (),
    label: str = "",
    group: str = "",
    classes: Sequence[str] | None = None,
    folds: int = 5,
    fold: int = 0,
    validation: float = 0.1,
    seed: int = 0,
    skip: bool = False,
) -> Data:
    """int8 codes (n, 1, window, channels) of the columns of CLASS/*.csv, or train/CLASS/* and test/CLASS/*.

    A code is a 32nd of a channel's standard deviation from its mean over the training windows. Windows of one
    file are never in two parts.

    window, hop  rows of a sample, and from sample to sample (0: `window`, so that samples do not overlap)
    columns      the channels, by their names in the header, or "1", "2", ... without one; all by default
    label        the column that names the class: the folder holds *.csv without folders of classes, or is one
                 file. Windows are cut from runs of rows with one label
    group        as `speaker` of `sounds`, for the names of files; with `label`, the column that says what may
                 not be in two parts, a person say
    classes, folds, fold, validation, seed, skip  as in `sounds`
    """
    cut = Cut(window, hop or window)
    if label:
        found, read = _labelled(folder, cut, tuple(columns), label, group, classes, skip)
        by = Grouping("group", "^g([^ ]*) " if group else "", "run")
    else:
        found = by_class(folder, (".csv",), classes, VARIABLE)
        read, by = _by_file(found, cut, tuple(columns), skip), Grouping("group", group)
    used, x = read["used"], read["x"]
    y = found.classes[used]
    parts, how = divide(found, used, y, by, Folds(folds, fold, validation, seed))
    series = [sample.T for sample in x]
    channels = channel_figures([series[i] for i in parts[0]])
    codes = quantise(series, channels, window)
    skipped = f", {read['skipped']}" * bool(str(read["skipped"]))
    title = f"{found.root.name}: {len(y):,} windows of {window} rows ({how}{skipped})"
    train, held, test = ((codes[places], y[places]) for places in parts)
    return Data(title, train, held, test, found.labels, "int8", 1 / STEPS, 0, channels)


def _by_file(found: ByClass, cut: Cut, columns: tuple[str, ...], skip: bool) -> dict[str, Array]:
    """x (n, window, channels), `used`: the index of the file of each, and the text `skipped`."""
    paths = [path for path, _, _ in found.files]

    def make() -> dict[str, Array]:
        problems, parts, used = Problems(skip), list[Array](), list[int]()
        names: list[str] = []
        for i, path in enumerate(paths):
            read = Columns(tuple(names) or columns, ()).read(path, problems)
            tell(f"reading {found.root.name}", i + 1, len(paths))
            if read is None:
                continue
            names = names or read[2]
            windows = cut.windows(read[0])
            if not len(windows):
                why = f"it has {len(read[0])} rows, a window has {cut.window}"
                problems.add(path, "shorter", why, "give a smaller window")
            parts.append(windows)
            used += [i] * len(windows)
        text = problems.settle(len(paths))
        return {"x": np.concatenate(parts), "used": np.array(used, np.int64), "skipped": np.array(text)}

    return kept({"csv": [cut, columns, skip]}, paths, make)


def _labelled(
    folder: Place, cut: Cut, columns: tuple[str, ...], label: str, group: str, classes: Sequence[str] | None,
    skip: bool,
) -> tuple[ByClass, dict[str, Array]]:  # fmt: skip
    """The runs of rows with one label and group as files of their classes, and their windows."""
    path = Path(folder) if folder and Path(folder).is_file() else existing(folder, VARIABLE)
    paths = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not paths:
        raise EdgeTernaryError(
            f"{path} has no *.csv", "the folder is empty, or has folders of classes", REMEDY
        )
    texts = (label, group) if group else (label,)

    def make() -> dict[str, Array]:
        problems, parts, used, runs = Problems(skip), list[Array](), list[int](), list[str]()
        numbers: dict[str, int] = {}
        names: list[str] = []
        for done, file in enumerate(paths, 1):
            read = Columns(tuple(names) or columns, texts).read(file, problems)
            tell(f"reading {path.name}", done, len(paths))
            if read is None:
                continue
            names, at = names or read[2], 0
            for key, rows in groupby(read[1]):
                count = len(list(rows))
                windows = cut.windows(read[0][at : at + count])
                at += count
                if len(windows):
                    number = numbers.setdefault(key[-1], len(numbers))
                    runs.append(f"{key[0]}\0g{number} {len(runs)}")
                    used += [len(runs) - 1] * len(windows)
                    parts.append(windows)
        text = problems.settle(len(paths))
        if not parts:
            raise EdgeTernaryError(
                f"no run of rows with one {label} has {cut.window} rows",
                f"in {path}",
                "give a smaller window",
            )
        made = {"x": np.concatenate(parts), "used": np.array(used, np.int64), "skipped": np.array(text)}
        return {**made, "runs": np.array(runs)}

    read = kept({"labelled": [cut, columns, label, group, skip]}, paths, make)
    pairs = [run.split("\0") for run in read["runs"].tolist()]
    labels = tuple(classes) if classes is not None else tuple(sorted({name for name, _ in pairs}))
    files = [(Path(f"{run}.csv"), labels.index(name), "") for name, run in pairs if name in labels]
    kept_runs = [i for i, (name, _) in enumerate(pairs) if name in labels]
    inside = np.isin(read["used"], kept_runs)
    used = np.searchsorted(kept_runs, read["used"][inside])
    return ByClass(path, labels, files), {**read, "x": read["x"][inside], "used": used}
