"""A copy of a user's model as it can be traced: unwrapped, float32, with plain weights and known sizes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edgeternary.nn.converting.report import Refusal, Report

WRAPPERS = ("DataParallel", "DistributedDataParallel", "OptimizedModule")


@torch.no_grad()
def prepared(model: nn.Module, inputs: Sequence[Tensor], report: Report) -> nn.Module:
    """The copy; what was changed is noted in the report. inputs: what the float model takes."""
    if isinstance(model, torch.jit.ScriptModule):
        raise Refusal(
            "the model is a TorchScript program",
            "its layers and their weights cannot be seen",
            "convert the nn.Module that the script was made from",
        )
    while type(model).__name__ in WRAPPERS:
        report.notes.append(f"{type(model).__name__} was taken off: paths of layers begin inside it")
        model = getattr(model, "module", None) or model._orig_mod  # type: ignore[assignment]
    _settle_weight_norms(model)
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in model.parameters()):
        training = model.training
        model.eval()(*inputs)  # lazy layers learn their sizes, as in any first call
        model.train(training)
        report.notes.append("lazy layers have learnt their sizes from the example, in your model too")
    copied = copy.deepcopy(model)
    if any(p.dtype in (torch.float64, torch.float16, torch.bfloat16) for p in copied.parameters()):
        report.notes.append("parameters became float32")
    copied = copied.float().cpu()
    for path, module in copied.named_modules():
        _plain_weight(path, module, report)
        if hasattr(module, "inplace") and not isinstance(module, torch.jit.ScriptModule):
            module.inplace = False  # what it would overwrite may be read again
    for parameter in copied.parameters():
        parameter.requires_grad_(True)
    return copied


def _settle_weight_norms(model: nn.Module) -> None:
    """Gives weights that a hook computes no history, which a copy could not have; the hook computes again."""
    for module in model.modules():
        for hook in module._forward_pre_hooks.values():
            name = getattr(hook, "name", None)
            weight = getattr(module, name, None) if isinstance(name, str) else None
            if isinstance(name, str) and isinstance(weight, Tensor) and not isinstance(weight, nn.Parameter):
                setattr(module, name, weight.detach())


def _plain_weight(path: str, module: nn.Module, report: Report) -> None:
    """Weight norm and spectral norm: the weight that they compute becomes the layer's own."""
    taken = []
    if parametrize.is_parametrized(module):
        for name in list(module.parametrizations):  # type: ignore[arg-type]
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            taken.append(name)
    hooks: dict[int, Any] = dict(module._forward_pre_hooks)
    for key, hook in hooks.items():
        if type(hook).__name__ in ("WeightNorm", "SpectralNorm"):
            hook.remove(module)
            del module._forward_pre_hooks[key]
            taken.append(hook.name)
    if taken:
        report.notes.append(f"{path or 'model'}: the normalised {', '.join(taken)} became the layer's own")
