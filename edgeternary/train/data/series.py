"""Time series as int8 codes (n, 1, L, C). Only the training series give the figures that scale channels."""

from collections.abc import Sequence

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.splits import cut_stratified
from edgeternary.train.data.ts import Series, read_pair

STEPS = 32  # codes for a standard deviation: +-127 is 3.97 deviations; larger values are clipped
LIMIT = 127


def channel_figures(series: Sequence[Series]) -> tuple[tuple[float, float], ...]:
    """(mean, standard deviation) of each channel over all time steps. A deviation of 0 becomes 1."""
    values = np.concatenate(series, 1)
    return tuple((float(row.mean()), float(row.std()) or 1.0) for row in values)


def quantise(series: Sequence[Series], channels: Sequence[tuple[float, float]], length: int) -> Array:
    """Codes (n, 1, length, C): round(32 (v - mean) / deviation), clipped to +-127.

    A shorter series is padded with 0, the mean. A longer series loses its end.
    """
    codes = np.zeros((len(series), 1, length, len(channels)), np.int8)
    mean, deviation = np.array(channels).T[:, :, None]
    for row, values in zip(codes, series):
        scaled = np.rint((values[:, :length] - mean) / deviation * STEPS)
        row[0, : scaled.shape[1]] = np.clip(scaled, -LIMIT, LIMIT).T
    return codes


def load_series(
    name: str, title: str, classes: Sequence[str], length: int, folder: Place, validation: float, seed: int
) -> Data:
    """The official training and test series of `name`.

    validation  share of each class of the training series that validates. With 0, all official training
                series train and validate, so the validation figure says nothing about unseen series
    classes     the labels in their order
    """
    (train, train_labels), (test, test_labels) = read_pair(name, folder)
    if len(train[0]) != len(test[0]):
        raise EdgeTernaryError(
            f"{name} has {len(train[0])} channels for training, {len(test[0])} for the test"
        )
    y, test_y = (_codes_of(name, labels, classes) for labels in (train_labels, test_labels))
    chosen = held = np.arange(len(train))
    if validation:
        (chosen, _), (held, _) = cut_stratified(chosen, y, validation, seed)
    else:
        title += "; all training samples used, validation on the same"
    channels = channel_figures([train[i] for i in chosen])
    x, test_x = quantise(train, channels, length), quantise(test, channels, length)
    parts = (x[chosen], y[chosen]), (x[held], y[held]), (test_x, test_y)
    return Data(title, *parts, tuple(classes), "int8", 1 / STEPS, 0, channels)


def _codes_of(name: str, labels: Sequence[str], classes: Sequence[str]) -> Array:
    code = {label.lower(): i for i, label in enumerate(classes)}
    if unknown := sorted({label for label in labels if label.lower() not in code}):
        raise EdgeTernaryError(f"{name} has a class {unknown[0]!r}", f"its classes are {', '.join(classes)}")
    return np.array([code[label.lower()] for label in labels], np.uint8)
