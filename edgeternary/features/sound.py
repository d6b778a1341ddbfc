"""The settings of the front end for sound."""

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Type, parse
from edgeternary.ops.log_mel import SIZES

Count = Annotated[int, Meta(ge=1, le=1 << 16)]
TYPES = tuple(f"{sign}int{bits}" for sign in ("u", "") for bits in range(2, 9))
DOUBLING = 20 * math.log10(2)  # dB


class Sound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frames of log-mel bands, or of their cosine transform (MFCC), of a sound of 16-bit samples.

    rate         samples a second
    samples      of a clip
    window, hop  samples of a frame (under a Hann window), and from frame to frame
    bands        of equal width on the mel scale, from `low` to `high` Hz
    low, high    in Hz
    floor        the level of the lowest code, in dB: of a band, 20 log10 of the sum of the magnitudes of its
                 bins, the samples being integers. A full-scale tone has about 132 dB
    range        dB from the lowest to the highest code
    type         of the codes: uint2 .. uint8, int2 .. int8
    coefficients of the cosine transform that are kept; 0 gives the bands themselves
    scale, zero  a code of a coefficient is round(coefficient / scale) + zero; they replace `range`. The
                 coefficient is sqrt(2 / bands) sum_b ln(band b) cos(pi j (2 b + 1) / (2 bands)), as in
                 tf.signal.mfccs_from_log_mel_spectrograms
    peak         levels are relative to the clip's largest sample, so `floor` is below 0; a stream has none
    """

    rate: Count = 16_000
    samples: Annotated[int, Meta(ge=1, le=1 << 22)] = 16_000
    window: Count = 480
    hop: Count = 320
    bands: Count = 10
    low: float = 60.0
    high: float = 7600.0
    floor: float = 48.0
    range: float = 96.0
    type: str = "uint8"
    coefficients: Annotated[int, Meta(ge=0, le=1 << 16)] = 0
    scale: float = 1.0
    zero: Annotated[int, Meta(ge=-256, le=256)] = 0
    peak: bool = False

    def __post_init__(self) -> None:
        self._require("type", self.type in TYPES, f"it must be one of {', '.join(TYPES)}")
        self._require("window", self.window <= SIZES[-1], f"at most {SIZES[-1]:,} samples are transformed")
        self._require("samples", self.samples >= self.window, f"a window has {self.window:,} samples")
        self._require(
            "high", 0 <= self.low < self.high, f"it must be above low = {self.low:g}, which is not negative"
        )
        self._require(
            "high", self.high <= self.rate / 2, f"it must be at most half of the rate, {self.rate / 2:g}"
        )
        self._require("range", 1 <= self.range <= 192, "it must be 1 to 192 dB")
        self._require("floor", -180 <= self.floor <= 180, "it must be -180 to 180 dB")
        self._require("scale", 1e-6 < self.scale < 1e6, "it must be above 0")
        self._require("coefficients", self.coefficients <= self.bands, f"there are {self.bands} bands")

    def _require(self, key: str, holds: bool, why: str) -> None:
        if not holds:
            raise EdgeTernaryError(
                f"{key} = {getattr(self, key)!r} of a sound", why, "correct its value", USAGE
            )

    @property
    def size(self) -> int:
        """Points of the transform."""
        return next(size for size in SIZES if size >= self.window)

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return (self.samples - self.window) // self.hop + 1

    @property
    def width(self) -> int:
        """Codes of a frame."""
        return self.coefficients or self.bands

    @property
    def codes(self) -> Type:
        return parse(self.type)

    @property
    def input_scale(self) -> float:
        """A code means (code - input_zero) * input_scale dB, or so much of a coefficient."""
        return self.scale if self.coefficients else self.range / (self.codes.hi - self.codes.lo + 1)

    @property
    def input_zero(self) -> int:
        return self.zero if self.coefficients else self.codes.lo - round(self.floor / self.input_scale)

    def described(self) -> str:
        """In some words: "49 x 10 log-mel codes of 480 samples every 320 at 16,000 Hz"."""
        kind = "MFCC" if self.coefficients else "log-mel"
        return (
            f"{self.frames} x {self.width} {kind} codes ({self.type}) of windows of {self.window} samples "
            f"every {self.hop} at {self.rate:,} Hz"
        )
