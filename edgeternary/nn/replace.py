"""Our layers in place of torch's: batch-norms before lowering."""

from __future__ import annotations

from torch import nn

from edgeternary.nn.norm import BatchNorm


def set_module(model: nn.Module, path: str, module: nn.Module) -> None:
    """Puts `module` at `path` (not the root)."""
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)


def our_batch_norm(bn: nn.BatchNorm1d | nn.BatchNorm2d) -> BatchNorm:
    """The same parameters and statistics in a BatchNorm whose eval mode is exact."""
    ours = BatchNorm(bn.num_features, bn.eps, 0.1 if bn.momentum is None else bn.momentum)
    if bn.affine:
        ours.weight, ours.bias = bn.weight, bn.bias
    if bn.running_mean is not None and bn.running_var is not None:
        ours.running_mean, ours.running_var = bn.running_mean, bn.running_var
    return ours.train(bn.training)


def replace_batch_norms(model: nn.Module) -> list[str]:
    """Replaces each torch.nn.BatchNorm1d/2d inside `model` (in place) by BatchNorm; returns their paths.

    Library batch-norm is no function of its input: its last bit depends on instruction set and memory layout.
    """
    found = [
        (path, module)
        for path, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) and path
    ]
    for path, module in found:
        set_module(model, path, our_batch_norm(module))
    return [path for path, _ in found]
