"""Time series: reading .ts files, quantising with the training series' figures only, padding."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train import data
from edgeternary.train.data import ts as ts_module
from edgeternary.train.data.series import LIMIT, STEPS, load_series
from edgeternary.train.data.splits import cut_stratified
from tests.train.data.made_up import ts

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
CLASSES = ["walk", "run"] * 5
TRAIN = [RNG.normal([[3.0], [-50.0]], [[2.0], [0.01]], (2, 4 + i % 3)) for i in range(10)]
TEST = [RNG.normal(0, 9, (2, 5)) for _ in range(4)]


def write(folder, train=TRAIN, test=TEST, classes=CLASSES):
    (folder / "Tiny_TRAIN.ts").write_text(ts(train, classes))
    (folder / "Tiny_TEST.ts").write_text(ts(test, CLASSES[:4]))
    return folder


def load(folder, validation=0.2, seed=0, length=6):
    return load_series("Tiny", "tiny", ("walk", "run"), length, folder, validation, seed)


def test_codes_come_back_to_measured_values(tmp_path):
    found = load(write(tmp_path), validation=0)
    assert found.train[0].shape == (10, 1, 6, 2) and found.input_type == "int8"
    assert found.train[1].tolist() == [0, 1] * 5 and found.input_scale == 1 / STEPS
    for codes, series in zip(found.train[0], TRAIN):
        for channel, (offset, scale) in enumerate(found.channels):
            steps = series.shape[1]
            again = offset + scale * codes[0, :steps, channel] * found.input_scale
            inside = np.abs(series[channel] - offset) < scale * LIMIT / STEPS
            assert np.abs(again - series[channel])[inside].max() <= scale / STEPS / 2 * (1 + 1e-9)
            assert (codes[0, steps:] == 0).all()
    assert "validation on the same" in found.name


def test_figures_are_those_of_the_training_series_alone(tmp_path):
    """Seeded fault: other validation and test values must not move a training code; a training value must."""
    held = cut_stratified(np.arange(10), np.array([0, 1] * 5), 0.2, seed=0)[1][0]
    before = load(write(tmp_path))
    moved = [series + 1000 * (i in held) for i, series in enumerate(TRAIN)]
    after = load(write(tmp_path, moved, [series - 1000 for series in TEST]))
    np.testing.assert_array_equal(after.train[0], before.train[0])
    assert after.channels == before.channels
    assert (after.validation[0][:, 0, 0] == LIMIT).all() and (after.test[0][:, 0, 0] == -LIMIT).all()
    moved[next(i for i in range(10) if i not in held)] += 1000
    assert load(write(tmp_path, moved)).channels != before.channels


def test_the_validation_part_is_stratified_and_seeded(tmp_path):
    write(tmp_path)
    assert np.bincount(load(tmp_path).validation[1]).tolist() == [1, 1]
    assert (load(tmp_path).validation[0] == load(tmp_path).validation[0]).all()
    assert any(
        (load(tmp_path).validation[0] != load(tmp_path, seed=s).validation[0]).any() for s in (1, 2, 3)
    )


def test_a_constant_channel_and_a_long_series(tmp_path):
    flat = [np.vstack((series[0], np.full(series.shape[1], 7.0))) for series in TRAIN]
    found = load(write(tmp_path, flat, flat[:4]), length=3)
    assert found.channels[1] == (7.0, 1.0) and not found.train[0][..., 1].any()
    assert found.train[0].shape[1:] == (1, 3, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@problemName x\n1,2:a\n", "no series follows @data"),
        ("", "no series follows @data"),
        ("@data\n1,2:3,x:walk\n", "line 2, is not a series"),
        ("@data\n1,2:3,?:walk\n", "line 2, is not a series"),
        ("@data\n1,2:3,NaN:walk\n", "line 2.*without gaps"),
        ("@data\n1,2:3,4:walk\n1,2,3:run\n", "line 3.*the same number of channels"),
        ("@data\n1,2:3:walk\n", "line 2, is not a series"),
        ("@data\n1,2:3,4:fly\n", "Tiny has a class 'fly'. its classes are walk, run"),
    ],
)
def test_damaged_files(tmp_path, text, message):
    write(tmp_path)
    (tmp_path / "Tiny_TRAIN.ts").write_text(text)
    with pytest.raises(EdgeTernaryError, match=message):
        load(tmp_path)


def test_missing_files_and_packages_are_named(tmp_path, monkeypatch):
    with pytest.raises(EdgeTernaryError, match=r"edgeternary\[data\]"):
        data.basic_motions(tmp_path)
    monkeypatch.setattr(ts_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EdgeTernaryError, match=r"aeon is missing.*edgeternary\[data\]") as caught:
        data.japanese_vowels()
    assert caught.value.code == TOOL_MISSING


def test_the_official_sets():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("aeon is missing; install it with: pip install 'edgeternary[data]'")
    for name, shape, counts, test in (
        ("basic-motions", (1, 100, 6), (32, 8, 40), [10] * 4),
        ("basic-motions-whole", (1, 100, 6), (40, 40, 40), [10] * 4),
        ("japanese-vowels", (1, 29, 12), (216, 54, 370), [31, 35, 88, 44, 29, 24, 40, 50, 29]),
        ("japanese-vowels-whole", (1, 29, 12), (270, 270, 370), [31, 35, 88, 44, 29, 24, 40, 50, 29]),
    ):
        found = data.DATASETS[name]()
        assert found.train[0].shape[1:] == shape and found.train[0].dtype == np.int8
        assert tuple(len(part[1]) for part in (found.train, found.validation, found.test)) == counts
        assert np.bincount(found.test[1]).tolist() == test
