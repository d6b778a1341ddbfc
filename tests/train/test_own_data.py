"""What docs/training.md says about data of one's own, and one message for each mistake."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train import find_recipe, fit
from edgeternary.train.data.npz_file import KEYS, LAYOUTS
from edgeternary.train.models import FAMILIES

pytestmark = pytest.mark.torch
PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
TOML = """
name = "own"
data = "{folder}/own.npz"
[model]
build = "conv1d"
inputs = 3
length = 8
classes = 2
channels = [4]
[train]
epochs = 1
batch = 10
"""


def test_the_page_names_every_array_layout_and_argument() -> None:
    section = PAGE[PAGE.index("### Your own data") : PAGE.index("### Distillation")]
    assert all(f"`{key}`" in section for key in KEYS)
    assert all(f'"{layout}"' in section for layout in LAYOUTS)
    for name, build in FAMILIES.items():
        row = re.search(rf"^\| `{name}` \|.*$", section, re.MULTILINE)
        assert row and all(f"`{key}`" in row[0] for key in inspect.signature(build).parameters), name


def trained(folder: Path, text: str = TOML, **changes: object) -> list[int]:
    """Fits the recipe on series (n, 8, 3); the shape of a sample."""
    x = np.random.default_rng(0).integers(-99, 99, (40, 8, 3)).astype(np.int8)
    y = np.arange(40) % 2
    arrays = {"x_train": x, "y_train": y, "x_test": x, "y_test": y, "layout": "NTC", **changes}
    np.savez(folder / "own.npz", **{key: array for key, array in arrays.items() if array is not None})
    (folder / "own.toml").write_text(text.format(folder=folder))
    return list(fit(find_recipe(str(folder / "own.toml"))).shape)


def test_series_train(tmp_path: Path) -> None:
    assert trained(tmp_path) == [3, 8]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("length", "lenght", "unknown key of .model. conv1d.*did you mean 'length'"),
        ("inputs = 3\n", "", r"\[model\] has no key 'inputs'.*conv1d needs it"),
        ("inputs = 3", "inputs = 8", r"does not take the samples of own"),
        ("classes = 2", "classes = 5", r"does not give 2 logits"),
        ('name = "own"', 'name = "own"\nshape = [3, 9]', r"shape \[3, 9\] is not that of own"),
        ("own.npz", "none.npz", r"none.npz cannot be read. there is no such file in"),
    ],
)
def test_a_wrong_recipe(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match=f"(?s){message}"):
        trained(tmp_path, TOML.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": None}, r"may be series \(n, T, C\)"),
        ({"layout": "NCHW"}, r"layout 'NCHW', and x_train the shape \(40, 8, 3\)"),
        ({"y_train": None, "y_trian": np.arange(40) % 2}, "unknown array 'y_trian'. did you mean 'y_train'"),
        ({"y_test": np.arange(39) % 2}, r"test labels of own are int64 of shape \(39,\)"),
    ],
)
def test_a_wrong_file(change: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match=f"(?s){message}"):
        trained(tmp_path, **change)
