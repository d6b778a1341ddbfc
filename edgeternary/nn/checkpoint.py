"""A trained model as integers: weight codes, batch-norms and scales in a safetensors file."""

import os
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.linear import Logits, Quantized
from edgeternary.nn.luts.count import GroupSum
from edgeternary.nn.luts.layer import LutLayer


@torch.no_grad()
def freeze(model: nn.Module) -> None:
    """Replaces latent weights by codes / highest code (and biases by what their integers mean), in place.

    Every quantiser maps these to the same codes, learnt steps and thresholds being set for it, so
    model.eval() answers with the same bits as before, and training can go on.
    """
    for module in model.modules():
        if isinstance(module, Logits):
            module.bias.copy_(module.quantized_bias() * module.logit_scale())
        if isinstance(module, Quantized | LutLayer | GroupSum):
            module.freeze()


def _tops(model: nn.Module) -> dict[str, int]:
    """The highest code of each weight, by its name in the state. Entries of tables are -1 and +1."""
    layers = list(model.named_modules())
    weights = {f"{path}.weight": m.quantizer.top for path, m in layers if isinstance(m, Quantized)}
    tables = {f"{path}.tables": 1 for path, m in layers if isinstance(m, LutLayer)}
    return {name.removeprefix("."): top for name, top in (weights | tables).items()}


def save_codes(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Writes the frozen model, weights as int8 codes. The file appears only when whole."""
    freeze(model)
    tops = _tops(model)
    state = {
        name: (torch.round(tensor * tops[name]).to(torch.int8) if name in tops else tensor).clone(
            memory_format=torch.contiguous_format
        )
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
        tops = _tops(model)
        model.load_state_dict({key: t.float() / tops[key] if key in tops else t for key, t in state.items()})
    except OSError as error:
        raise EdgeTernaryError(f"cannot read {path}", str(error), "check the path") from error
    except Exception as error:  # safetensors and load_state_dict have errors of their own
        raise EdgeTernaryError(
            f"{path} does not hold this model",
            str(error).splitlines()[0],
            "use the checkpoint of this architecture",
        ) from error
    return model.eval()
