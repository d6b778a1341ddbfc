"""Dropout in an exported program: model.eval() makes it an identity, unless forward() was told to drop."""

from __future__ import annotations

import torch

from edgeternary.frontends.torch_values import Context, Lowered

_aten = torch.ops.aten
DROPOUTS = (
    _aten.dropout.default, _aten.dropout_.default, _aten.feature_dropout.default,
    _aten.feature_dropout_.default, _aten.alpha_dropout.default, _aten.alpha_dropout_.default,
    _aten.feature_alpha_dropout.default, _aten.feature_alpha_dropout_.default,
)  # fmt: skip


def drops(p: float, train: bool) -> bool:
    """Whether a call of dropout with these arguments gives other numbers at every call."""
    return train and p != 0


def dropout(c: Context, x: Lowered, p: float, train: bool) -> Lowered:
    """x, or a refusal where elements are dropped although the model is in eval mode."""
    if drops(p, train):
        raise c.refuse(
            f"it drops elements in eval mode too (p={p}), so each call of model.eval() answers differently",
            "write F.dropout(x, p, self.training), or use a layer torch.nn.Dropout(p)",
        )
    return x
