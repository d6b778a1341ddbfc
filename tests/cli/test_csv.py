"""Samples of a text file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Answer

Call = Callable[..., Answer]


def written(path: Path, rows: np.ndarray, separator: str = ",", head: str = "") -> Path:
    lines = [separator.join(map(str, row)) for row in rows.reshape(len(rows), -1)]
    path.write_text("\n".join([*filter(None, [head]), *lines, ""]))
    return path


@pytest.mark.parametrize(
    ("name", "separator"), [("x.csv", ","), ("x.tsv", "\t"), ("x.txt", " "), ("x.csv", " ; ")]
)
def test_a_row_is_a_sample(
    et: Call, model: Path, inputs: Path, tmp_path: Path, name: str, separator: str
) -> None:
    text = written(tmp_path / name, np.load(inputs), separator)
    found = [et("run", model, "--inputs", path, "--json").json()["samples"] for path in (inputs, text)]
    assert found[0] == found[1] and len(found[0]) == 5


def test_a_named_column_has_the_labels(et: Call, model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.zeros((1000, 1), int), rng.integers(0, 256, (1000, 36))], axis=1)
    path = written(tmp_path / "x.csv", rows, head=",".join(["label", *(f"p{n}" for n in range(36))]))
    row = et("simulate", model, "--inputs", path, "--json").json()[0]
    assert row["samples"] == 1000 and 0 < row["accuracy"] < 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3\n4,5\n", "x.csv, line 2 is no sample"),
        ("1,2,3\n4,5,six\n", "what is no number"),
        ("1,2,3\n", "3 numbers a row"),
        ("hello\n", "no rows of numbers"),
        ("", "no rows of numbers"),
    ],
)
def test_what_is_wrong_is_said(et: Call, model: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    answer = et("simulate", model, "--inputs", tmp_path / "x.csv")
    assert answer.code == 1 and said in answer.err


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.dat"])
def test_text_under_another_name_is_not_unpickled(et: Call, model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("1,2,3\n")
    answer = et("simulate", model, "--inputs", tmp_path / name)
    assert answer.code == 1 and "pickle" not in answer.err and ".csv" in answer.err
