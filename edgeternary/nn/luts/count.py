"""GroupSum: the last layer of a table network, which counts bits for each class."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.luts import ops
from edgeternary.nn.surrogates import straight_through

RATE = 0.1  # the scale and the bias move by this factor less than latent values do


class GroupSum(nn.Module):
    """Bits (N, n) of 0 and 1 -> logits (N, classes) = (bits set in the class's group + integer bias) * scale.

    The groups lie side by side. groups: the size of each class's group; by default the same for all. The
    scale, one over the temperature, is one positive number for all classes and is learnt, as the bias is.
    It starts at `scale`, by default 1 / sqrt(group size).
    """

    ends: Tensor

    def __init__(
        self, inputs: int, classes: int, groups: Sequence[int] = (), scale: float | None = None
    ) -> None:
        super().__init__()
        sizes = list(groups) or [inputs // classes] * classes
        if len(sizes) != classes or sum(sizes) != inputs or min(sizes) < 1:
            raise EdgeTernaryError(
                f"{inputs} bits cannot be counted in {classes} groups",
                f"the groups have {sum(sizes)} bits",
                f"give a multiple of {classes} bits, or the size of each group",
            )
        self.sizes, start = sizes, (inputs / classes) ** -0.5 if scale is None else scale
        self.register_buffer("ends", torch.tensor(sizes).cumsum(0).int(), persistent=False)
        self.scale = nn.Parameter(torch.tensor(start).log() / RATE)
        self.bias = nn.Parameter(torch.zeros(classes))

    def logit_scale(self) -> Tensor:
        """The one positive scale: logits = (counts + bias) * logit_scale.

        exp of 64 bits, for that of 32 differs between processors in the last bit.
        """
        return (self.scale * RATE).clamp(-20, 20).double().exp().float()

    def integer_bias(self) -> Tensor:
        """(classes,) integers, in a float tensor."""
        return torch.round(self.bias.detach() * RATE * self.ends[-1] / len(self.ends))

    def train_bias(self) -> Tensor:
        """integer_bias(), whose gradient goes to the bias."""
        return straight_through(self.integer_bias(), self.bias * (RATE * self.ends[-1] / len(self.ends)))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return ops.group_count(x, self.ends, self.integer_bias()) * self.logit_scale()
        columns = x.t()
        if len(set(self.sizes)) == 1:
            counts = columns.reshape(len(self.sizes), -1, columns.shape[1]).sum(1).t()
        else:
            counts = torch.stack([part.sum(0) for part in columns.split(self.sizes)], 1)
        return (counts + self.train_bias()) * self.logit_scale()

    @torch.no_grad()
    def freeze(self) -> None:
        """The bias becomes what its integers mean."""
        self.bias.copy_(self.integer_bias() / (RATE * self.ends[-1] / len(self.ends)))

    def extra_repr(self) -> str:
        return f"{self.sizes}"
