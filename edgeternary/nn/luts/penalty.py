"""A term of the loss that leaves comparisons and tables without readers, so that they need no hardware."""

import torch
from torch import Tensor, nn

from edgeternary.nn.luts.encoder import Comparisons
from edgeternary.nn.luts.layer import LutLayer


class TablePenalty:
    """penalty() = weight * mean over all bits that tables read of price * u / (1 + u).

    u is the expected number of pins that read the bit, by the softmax of their scores. Bits with few
    readers lose them, and one more reader of a bit with many costs next to nothing. price: 1 for a table of
    an earlier layer; for a comparison the number of bits of x that x >= t depends on, less 1, in units of 7:
    0 for t = 128 of 8-bit codes, which is a wire, and 1/7 for t = 64.
    """

    def __init__(self, model: nn.Module, weight: float = 1.0) -> None:
        self.weight = weight
        self.layers: list[tuple[LutLayer, Tensor]] = []
        encoder: Comparisons | None = None
        for module in model.modules():
            if isinstance(module, Comparisons):
                encoder = module
            if isinstance(module, LutLayer):
                price = torch.ones(module.inputs)
                if encoder is not None and encoder.bits and module.inputs % encoder.bits == 0:
                    price = comparison_prices(encoder.t.view(-1)).repeat_interleave(
                        module.inputs // encoder.bits
                    )
                self.layers.append((module, price))
                encoder = None

    def __call__(self) -> Tensor:
        """A scalar with gradients for the scores of the layers whose wiring is still learnt."""
        total = torch.zeros(())
        for layer, price in self.layers:
            if layer.progress < layer.until and layer.scores.requires_grad:
                share = torch.softmax(layer.scores * layer.rate, 1).view(-1)
                readers = torch.zeros_like(price).index_add(0, layer.candidates.view(-1), share)
                total = total + (price * readers / (1 + readers)).mean()
        return self.weight * total


def comparison_prices(t: Tensor, bits: int = 8) -> Tensor:
    """(J,) prices of x >= t: the bits of t above its trailing zeros, less 1, over bits - 1."""
    zeros = torch.stack([t % (1 << k) == 0 for k in range(1, bits)]).sum(0)
    return (bits - 1 - zeros).float() / (bits - 1)
