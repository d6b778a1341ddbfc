"""Whether a converted network still is its author's: at 8 bits it answers nearly as the float one does.

Exactness compares executors with the converted model; a layer that `convert` lost would not show there.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from tests.corpus.check import convert, outputs, takes_specs
from tests.corpus.entry import Entry


def fidelity(entry: Entry) -> float | None:
    """The least correlation of an output at 8 bits with the float network's; None if it does not convert.

    The float network's batch-norms first see the codes, as those of a trained one have. A softmax, a sigmoid
    or a logarithm that the conversion left off is put back where it makes the two agree.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model = entry.model()
        _settle(entry, model)
        codes = Entry.each(entry.codes(32, seed=3))
        wanted = outputs(model(*_fed(entry, codes)))
        try:
            with torch.enable_grad():
                converted = convert(entry, model, weights=8, activations=8)
            found = outputs(converted.eval()(*codes))
        except EdgeTernaryError:
            return None
    return min(_agreement(a, b) for a, b in zip(found, wanted, strict=True))


def _settle(entry: Entry, model: nn.Module) -> None:
    """Statistics of every batch-norm from four batches of codes."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    for seed in range(4):
        model(*_fed(entry, Entry.each(entry.codes(16, seed=seed))))
    model.eval()


def _fed(entry: Entry, codes: tuple[Tensor, ...]) -> list[Tensor]:
    """The author's floats, or the codes while `convert` cannot be told what they mean."""
    pairs = zip(entry.all_inputs(), codes, strict=True)
    return [item.floats(tensor) if takes_specs() else tensor for item, tensor in pairs]


def _agreement(found: Tensor, wanted: Tensor) -> float:
    if found.numel() != wanted.numel():
        return -1.0
    found, wanted = found.reshape(wanted.shape).double(), wanted.double()
    axis = min(1, wanted.dim() - 1)
    ends = (
        found,
        found.softmax(axis),
        found.log_softmax(axis),
        found.softmax(-1),
        found.log_softmax(-1),
        found.sigmoid(),
    )
    pairs = [torch.stack((end.flatten(), wanted.flatten())) for end in ends]
    return max(float(torch.corrcoef(pair)[0, 1].nan_to_num(-1.0)) for pair in pairs)
