"""Input encodings: raw integer codes (uint8 pixels, say) as one-bit channels, without any multiplication."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import elementwise
from edgeternary.nn.fake_quantize import greater_equal
from edgeternary.nn.levels import Levels, levels


def one_bit(layer: str, kind: str) -> Levels:
    """The codes of "bipolar" or "binary"."""
    found = levels(kind)
    if len(found.codes) == 2:
        return found
    raise EdgeTernaryError(
        f"{layer} cannot give {kind!r} codes",
        "each of its channels has one bit",
        'use kind="bipolar" or kind="binary"',
    )


class Binarize(nn.Module):
    """1-bit pixels: +1 where x >= threshold, else -1 ("bipolar") or 0 ("binary"); any shape, codes in and
    out.

    threshold: an integer code. Make it the first layer, before a Flatten: on a map one comparison a channel
    lowers to one threshold a channel, on flat inputs to one an input.
    """

    def __init__(self, threshold: int = 128, kind: str = "bipolar") -> None:
        super().__init__()
        self.threshold, self.levels = int(threshold), one_bit("Binarize", kind)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return greater_equal(x, float(self.threshold)).mul_(self.levels.gap).add_(self.levels.lo)
        if self.levels.gap == 2:
            return elementwise.sign(x - self.threshold)
        # floor(x - threshold + 1/2 + 1/2), clamped: all of it exact
        return elementwise.quantize(
            x - (self.threshold - 0.5), torch.ones(()), self.levels.lo, self.levels.hi
        )

    def extra_repr(self) -> str:
        return f"{self.threshold}, {self.levels.name}"


class BitPlane(nn.Module):
    """Bit `index` of unsigned codes of `bits` bits: +1 where it is set, else -1 ("bipolar") or 0
    ("binary").
    """

    table: Tensor

    def __init__(self, index: int, bits: int = 8, kind: str = "bipolar") -> None:
        super().__init__()
        self.index, self.bits, self.levels = index, bits, one_bit("BitPlane", kind)
        if not 0 <= index < bits <= 16:
            raise EdgeTernaryError(
                f"there is no bit {index} in codes of {bits} bits",
                "bits count from 0, and codes have at most 16",
                "give 0 <= index < bits <= 16",
            )
        bit = torch.arange(1 << bits) >> index & 1
        self.register_buffer("table", self.levels.lo + self.levels.gap * bit, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return elementwise.lookup(x, self.table, 0)

    def extra_repr(self) -> str:
        return f"{self.index} of {self.bits}, {self.levels.name}"


class _Planes(nn.Module):
    """Several one-bit encodings of the same codes, side by side along axis 1."""

    def __init__(self, planes: Sequence[nn.Module]) -> None:
        super().__init__()
        self.planes = nn.ModuleList(planes)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([plane(x) for plane in self.planes], 1)


class Thermometer(_Planes):
    """x (N, C, ...) -> (N, K * C, ...): plane k says whether x >= thresholds[k], channels in the order k * C
    + c.

    thresholds: K integer codes in ascending order, or their number: K codes that part 0..2^bits - 1 evenly.
    Codes that are near stay near, which bit planes do not promise.
    """

    def __init__(self, thresholds: int | Sequence[int] = 8, kind: str = "bipolar", bits: int = 8) -> None:
        if isinstance(thresholds, int):
            thresholds = [round((k << bits) / (thresholds + 1)) for k in range(1, thresholds + 1)]
        if not thresholds or any(a >= b for a, b in pairwise(thresholds)):
            raise EdgeTernaryError(
                f"Thermometer cannot compare with {list(thresholds)}",
                "its thresholds must be at least one integer and ascend",
                "sort them and take each once, or use fewer of them",
            )
        super().__init__([Binarize(t, kind) for t in thresholds])


class BitPlanes(_Planes):
    """x (N, C, ...) unsigned codes -> (N, K * C, ...): bit planes, the most significant of the K = `planes`
    first.

    planes: how many of the `bits` are kept (all by default); channels in the order k * C + c. Lowers to
    tables.
    """

    def __init__(self, bits: int = 8, planes: int | None = None, kind: str = "bipolar") -> None:
        kept = bits if planes is None else planes
        if not 1 <= kept <= bits:
            raise EdgeTernaryError(
                f"BitPlanes cannot keep {kept} of {bits} bits",
                "at least the most significant one is kept, and no more than there are",
                f"give planes=1 to planes={bits}",
            )
        super().__init__([BitPlane(bits - 1 - k, bits, kind) for k in range(kept)])
