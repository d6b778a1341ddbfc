"""Folds: how much of each matrix is worked on in a cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fold:
    """`pe` rows times `simd` columns a cycle; results leave `outputs` a beat.

    With `tall` the columns of a beat are simd / ky channels of all ky rows of a convolution's window, with
    `wide` simd / (ky kx) channels of all its taps. With `full` a pass of one beat takes one cycle, not two.
    """

    pe: int
    simd: int
    outputs: int
    tall: bool = False
    wide: bool = False
    full: bool = False


@dataclass(frozen=True)
class Folding:
    """Folds of the matrix layers by name, the cycles a frame that other parts have to keep up with, and the
    input bits that may come in a cycle (0: those of a pixel). wired: no folds, weights are wires, see
    hdl.wired. kept: for block RAMs that answer late in the cycle. padded: folds of the sizes that
    hdl.passes.pad gives the layers. answer_bytes: of a beat of the answer that leaves as bytes."""

    folds: Mapping[str, Fold] = field(default_factory=dict)
    cycles: int = 1
    input_bits: int = 0
    wired: bool = False
    kept: bool = False
    padded: bool = False
    answer_bytes: int = 1
