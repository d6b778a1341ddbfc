"""Our layers in place of torch's: batch-norms before lowering."""

from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.norm import BatchNorm


def set_module(model: nn.Module, path: str, module: nn.Module) -> None:
    """Puts `module` at `path` (not the root)."""
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)


def our_batch_norm(bn: nn.BatchNorm1d | nn.BatchNorm2d, path: str) -> BatchNorm:
    """The same parameters and statistics in a BatchNorm whose eval mode is exact.

    EdgeTernaryError, naming `path`, where eval mode takes the batch's own statistics, and for hooks.
    """
    what = f"layer {path!r} ({type(bn).__name__}) cannot be replaced"
    mean, var = bn.running_mean, bn.running_var
    if mean is None or var is None:
        raise EdgeTernaryError(
            what,
            "without running statistics it normalises by those of the batch, in eval mode too",
            "leave track_running_stats=False out",
        )
    if bn._forward_hooks or bn._forward_pre_hooks:
        raise EdgeTernaryError(
            what, "it has a hook, which its replacement would not call", "write what the hook does as a layer"
        )
    ours = BatchNorm(bn.num_features, bn.eps, 0.1 if bn.momentum is None else bn.momentum)
    if bn.affine:
        ours.weight, ours.bias = bn.weight, bn.bias
    ours.running_mean, ours.running_var = mean, var
    return ours.train(bn.training)


def replace_batch_norms(model: nn.Module) -> list[str]:
    """Replaces each torch.nn.BatchNorm1d/2d inside `model` (in place) by BatchNorm; returns their paths.

    Library batch-norm is no function of its input: its last bit depends on instruction set and memory layout.
    """
    found = [
        (path, module)
        for path, module in model.named_modules(remove_duplicate=False)
        if type(module) in (nn.BatchNorm1d, nn.BatchNorm2d) and path  # a subclass may compute something else
    ]
    for path, module in found:
        set_module(model, path, our_batch_norm(module, path))
    return [path for path, _ in found]
