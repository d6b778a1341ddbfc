"""How many bytes a forward pass keeps for its backward pass, as torch's own hooks see them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def saved_bytes(forward: Callable[[], object], model: nn.Module | None = None) -> int:
    """Bytes of all different tensors that `forward()` saves; the parameters of `model` are not counted.

    A memory that several operations keep counts once.
    """
    seen: dict[tuple[int, int], int] = {}
    own = {p.untyped_storage().data_ptr() for p in model.parameters()} if model is not None else set()
    kept: list[Tensor] = []  # alive until the end, so that no memory is used twice

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept.append(tensor)
            seen[storage.data_ptr(), storage.nbytes()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    del result
    return sum(seen.values())
