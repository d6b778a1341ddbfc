"""A trained model as integers: weight codes, batch-norms and scales in a safetensors file."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.linear import Output, Quantized


@torch.no_grad()
def freeze(model: nn.Module) -> None:
    """Replaces latent weights by their codes (and biases by what their integers mean), in place.

    Every quantiser maps codes to themselves, so model.eval() answers with the same bits as before.
    """
    for module in model.modules():
        if isinstance(module, Output):
            module.bias.copy_(module.quantized_bias() * module.logit_scale())
        if isinstance(module, Quantized):
            module.weight.copy_(module.quantizer.codes(module.weight))


def save_codes(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Writes the frozen model, weights as int8 codes. The file appears only when whole."""
    freeze(model)
    weights = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Quantized)}
    state = {
        name: (tensor.to(torch.int8) if name in weights else tensor).clone()
        for name, tensor in sorted(model.state_dict().items())
    }
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    partial.write_bytes(save(state))
    partial.replace(target)


def load_codes(model: nn.Module, path: str | os.PathLike[str]) -> nn.Module:
    """Loads what save_codes wrote into `model` (of the same architecture), which is returned in eval mode."""
    try:
        state: dict[str, Tensor] = load(Path(path).read_bytes())
        model.load_state_dict({name: t.float() if t.dtype == torch.int8 else t for name, t in state.items()})
    except OSError as error:
        raise EdgeTernaryError(f"cannot read {path}", str(error), "check the path") from error
    except Exception as error:  # safetensors and load_state_dict have errors of their own
        raise EdgeTernaryError(
            f"{path} does not hold this model",
            str(error).splitlines()[0],
            "use the checkpoint of this architecture",
        ) from error
    return model.eval()
