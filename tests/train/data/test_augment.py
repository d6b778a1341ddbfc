"""Augmentation: which pixel goes where, on pictures, series and spectrograms; the order of random numbers."""

from __future__ import annotations

import hashlib

import pytest

torch = pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.train.augment import Augment  # noqa: E402

pytestmark = pytest.mark.torch


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(n: int, c: int, h: int, w: int) -> torch.Tensor:
    """The same picture n times; its pixels are all different and none is 0."""
    return torch.arange(1.0, c * h * w + 1).reshape(1, c, h, w).expand(n, c, h, w)


def test_nothing_is_the_default():
    x = picture(3, 1, 4, 4)
    state = generator().get_state()
    g = generator()
    assert Augment()(x, g) is x and torch.equal(g.get_state(), state)


def test_pictures_are_mirrored_and_moved_whole():
    x = picture(200, 1, 5, 5)
    flipped = Augment(flip=True)(x, generator())
    assert 0.35 < (flipped[:, 0, 0, 0] == 5).float().mean() < 0.65
    assert set(flipped[:, 0, 0, 0].tolist()) == {1.0, 5.0}
    moved = Augment(shift=1)(x, generator())
    assert set(moved[:, 0, 2, 2].tolist()) == {float(5 * r + c + 1) for r in (1, 2, 3) for c in (1, 2, 3)}
    assert set(moved[:, 0, 0, 0].tolist()) == {0.0, 1.0, 2.0, 6.0, 7.0}


def test_time_runs_along_the_longer_side():
    for shape in ((2, 1, 9), (2, 9, 3)):
        x = picture(300, *shape)
        moved = Augment(time_shift=2)(x, generator())
        axis = 2 if shape[1] == 9 else 3
        seen = set()
        for one, before in zip(moved.transpose(axis, 3), x.transpose(axis, 3), strict=True):
            by = next(k for k in range(-2, 3) if (one[..., 4] == before[..., 4 + k]).all())
            wide = torch.nn.functional.pad(before, (2, 2))
            assert torch.equal(one, wide[..., 2 + by : 11 + by])
            seen.add(by)
        assert seen == {-2, -1, 0, 1, 2}


def test_a_series_stays_in_its_row():
    x = picture(50, 2, 1, 9)
    moved = Augment(shift=2)(x, generator())
    assert moved.amax((1, 2, 3)).min() > 0 and moved.unique(dim=0).shape[0] == 5


def test_scaled_codes_stay_codes_of_the_type():
    x = torch.randint(-127, 128, (400, 3, 1, 20), generator=generator(1)).float()
    y = Augment(scale=0.25)(x, generator())
    assert torch.equal(y, y.round()) and y.abs().max() <= 127
    inside = (x.abs() > 40) & (x.abs() < 100)
    ratio = torch.where(inside, y / x, torch.nan).flatten(1).nanmean(1)
    assert 0.74 < ratio.min() < 0.8 and 1.2 < ratio.max() < 1.26 and abs(ratio.mean() - 1) < 0.02
    assert torch.equal(y[x == 0], x[x == 0])


def test_affine_maps_turn_zoom_and_shear():
    x = torch.zeros(300, 1, 21, 21)
    x[:, 0, 10, 17] = 200.0  # 7 pixels right of the centre
    y = Augment(rotate=90)(x, generator())[:, 0]
    at = y.flatten(1).argmax(1)
    radius = (((at // 21 - 10) ** 2 + (at % 21 - 10) ** 2).double()) ** 0.5
    assert (radius - 7).abs().max() < 1 and set((at // 21 < 10).tolist()) == {True, False}
    zoomed = Augment(zoom=0.3)(x, generator())[:, 0]
    columns = zoomed[:, 10].argmax(1)
    assert columns.min() in (15, 16) and columns.max() == 20 and not zoomed[:, :9].any()
    assert torch.equal(y, y.round()) and y.min() >= 0 and y.max() <= 200


def test_pictures_that_are_not_square_are_turned_without_distortion():
    x = torch.zeros(400, 1, 41, 21)
    x[:, 0, 20, 17] = 200.0
    at = Augment(rotate=90)(x, generator())[:, 0].flatten(1).argmax(1)
    radius = (((at // 21 - 20) ** 2 + (at % 21 - 10) ** 2).double()) ** 0.5
    assert (radius - 7).abs().max() < 1


def test_random_numbers_are_drawn_in_one_order():
    """A run repeats by its recipe: another order or number of calls would show in the generator's state."""
    x = torch.randint(0, 256, (8, 1, 28, 28), generator=generator(7)).float()
    affine = Augment(flip=True, rotate=10, zoom=0.1, shear=0.1, shift=2, time_shift=1, scale=0.1)
    for augment, draws in (
        (Augment(flip=True, shift=2), ["flip", "rows", "columns"]),
        (affine, ["flip", "affine", "time", "scale"]),
    ):
        ours, theirs = generator(3), generator(3)
        augment(x, ours)
        for draw in draws:
            DRAWS[draw](theirs)
        assert torch.equal(ours.get_state(), theirs.get_state())
    moved = Augment(shift=2)(x, generator(5))
    assert hashlib.sha256(moved.numpy().tobytes()).hexdigest()[:16] == "b1b9820f72edd264"


DRAWS = {
    "flip": lambda g: torch.rand(8, generator=g),
    "rows": lambda g: torch.randint(0, 5, (8, 1), generator=g),
    "columns": lambda g: torch.randint(0, 5, (8, 1), generator=g),
    "affine": lambda g: torch.rand((8, 5), generator=g),
    "time": lambda g: torch.randint(0, 3, (8, 1), generator=g),
    "scale": lambda g: torch.rand((8, 1, 1, 1), generator=g),
}


@pytest.mark.parametrize("field", ["shift", "rotate", "zoom", "shear", "time_shift", "scale"])
def test_negative_amounts_are_refused(field):
    with pytest.raises(EdgeTernaryError, match=f"augmentation {field} = -1"):
        Augment(**{field: -1})
