"""Random numbers of every encoding, and beats made of them."""

from __future__ import annotations

import numpy as np

from edgeternary_hw import Element

FRAMES = 2
STALLS = (0.0, 0.4)


def draw(rng: np.random.Generator, element: Element, shape: tuple[int, ...]) -> np.ndarray:
    if element.kind == "bipolar":
        return 2 * rng.integers(0, 2, shape) - 1
    if element.kind == "ternary":
        return rng.integers(-1, 2, shape)
    lo = -(1 << (element.width - 1)) if element.kind == "signed" else 0
    return rng.integers(lo, lo + (1 << element.width), shape)


def beats(element: Element, data: np.ndarray, lanes: int) -> list[int]:
    return [element.pack(group) for group in data.reshape(-1, lanes)]


def numbers(element: Element, payloads: list[int], lanes: int) -> np.ndarray:
    return np.array([element.unpack(p, lanes) for p in payloads])


BIPOLAR, TERNARY, BINARY, U2, U8, S8, S3 = (
    Element("bipolar", 1), Element("ternary", 2), Element("unsigned", 1), Element("unsigned", 2),
    Element("unsigned", 8), Element("signed", 8), Element("signed", 3),
)  # fmt: skip
