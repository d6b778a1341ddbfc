"""Time series in CSV files, cut into windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.data import csv_windows


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def text(rows: np.ndarray, header: str = "time,ax,ay", delimiter: str = ",") -> str:
    lines = [delimiter.join(f"{value:.6g}" for value in row) for row in rows]
    return "\n".join([*([header.replace(",", delimiter)] if header else []), *lines]) + "\n"


def recording(seed: int, rows: int = 50) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack((np.arange(rows), rng.normal(5, 2, rows), rng.normal(-1, 0.1, rows)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of ten recordings of five people."""
    root = tmp_path / "motion"
    for k, name in enumerate(("rest", "walk")):
        (root / name).mkdir(parents=True)
        for i in range(10):
            (root / name / f"p{i // 2}-{i}.csv").write_text(text(recording(10 * k + i)))
    return root


def test_windows_of_recordings(folder: Path) -> None:
    data = csv_windows(folder, window=16, hop=8, columns=["ax", "ay"], group="-")
    assert data.labels == ("rest", "walk") and data.train[0].shape[1:] == (1, 16, 2)
    assert [len(part[1]) for part in (data.train, data.validation, data.test)] == [60, 20, 20]
    assert "fold 0 of 5 by group, 5 groups" in data.name and data.input_scale == 1 / 32
    (mean, deviation), _ = data.channels
    assert 4.5 < mean < 5.5 and 1.7 < deviation < 2.3
    wanted = np.clip(np.rint((recording(3)[8:24, 1] - mean) / deviation * 32), -127, 127)
    every = np.concatenate([part[0] for part in (data.train, data.validation, data.test)])
    assert sum(np.array_equal(x[0, :, 0], wanted) for x in every) == 1


def test_windows_of_a_file_are_in_one_part(folder: Path) -> None:
    for fold in range(5):
        data = csv_windows(folder, window=10, columns=["time"], fold=fold)
        assert len(data.test[1]) % 5 == 0 and data.train[0].shape[1:] == (1, 10, 1)


@pytest.mark.parametrize(("header", "delimiter"), [("", ","), ("", ";"), ("time,ax,ay", "\t")])
def test_headers_and_delimiters(folder: Path, header: str, delimiter: str) -> None:
    plain = csv_windows(folder, window=10)
    for path in folder.rglob("*.csv"):
        seed = 10 * (path.parent.name == "walk") + int(path.stem.partition("-")[2])
        path.write_text(text(recording(seed), header, delimiter))
    np.testing.assert_array_equal(csv_windows(folder, window=10).train[0], plain.train[0])


def test_a_column_of_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["person,x,activity,y"]
    for person in range(6):
        for activity in ("sit", "run", "sit"):
            lines += [f"p{person},{rng.normal():.4f},{activity},{rng.normal():.4f}" for _ in range(25)]
    path = tmp_path / "all.csv"
    path.write_text("\n".join(lines))
    data = csv_windows(path, window=10, label="activity", group="person", folds=3)
    assert data.labels == ("run", "sit") and data.train[0].shape[1:] == (1, 10, 2)
    assert "6 groups" in data.name and len(data.test[1]) == 2 * 3 * 2
    runs = csv_windows(path, window=10, label="activity", columns=["y"], folds=3)
    assert "by run" in runs.name and sum(len(p[1]) for p in (runs.train, runs.validation, runs.test)) == 41
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "a.csv").write_text(path.read_text())
    assert len(csv_windows(tmp_path / "many", window=10, label="activity", group="person").train[1]) > 0
    with pytest.raises(EdgeTernaryError, match="no run of rows with one activity has 30 rows"):
        csv_windows(path, window=30, label="activity", group="person", columns=["y"])
    with pytest.raises(EdgeTernaryError, match="it has no column 'what'"):
        csv_windows(path, window=10, label="what")


SPOILT = {
    "word": ("1,2,3\n4,five,6\n" * 20, "row 3, column 'ax': 'five' is no number"),
    "gap": ("1,2,3\n4,,6\n" * 20, "'' is no number"),
    "infinite": ("1,2,3\n4,inf,6\n" * 20, "'inf' is no number"),
    "ragged": ("1,2,3\n4,5\n" * 20, "row 3 has 2 cells, the first one 3"),
    "short": ("1,2,3\n" * 5, "it has 5 rows, a window has 10"),
}


@pytest.mark.parametrize("case", [*SPOILT, "nothing", "bytes", "names"])
def test_a_file_that_cannot_be_used_is_named_or_skipped_and_counted(case: str, folder: Path) -> None:
    path = folder / "walk" / "p2-5.csv"
    if case in SPOILT:
        content, why = SPOILT[case]
        path.write_text("time,ax,ay\n" + content)
    elif case == "nothing":
        path.write_text("")
        why = "it has no rows"
    elif case == "names":
        path.write_text(text(recording(1), "time,ax,az"))
        why = "it has no column 'ay'"
    else:
        path.write_bytes(b"\xff\xfe\x00\x01" * 9)
        why = "it cannot be read as text"
    with pytest.raises(EdgeTernaryError) as error:
        csv_windows(folder, window=10)
    assert "1 of 20 files cannot be used" in error.value.what
    assert str(path) in error.value.why and why in error.value.why
    data = csv_windows(folder, window=10, skip=True)
    assert sum(len(part[1]) for part in (data.train, data.validation, data.test)) == 95
    assert "1 of 20 files skipped: 1 " in data.name


def test_settings_that_make_no_sense(folder: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="window = 0") as error:
        csv_windows(folder, window=0)
    assert error.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match=r"has no \*.csv"):
        csv_windows(folder, window=10, label="x")
