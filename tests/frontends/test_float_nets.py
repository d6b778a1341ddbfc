"""Random float networks: converted and lowered exactly, or refused by name, but never a raw exception."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402
from tests.frontends.float_nets import random_net  # noqa: E402
from tests.full import FULL  # noqa: E402

pytestmark = pytest.mark.torch

WEIGHTS = ("ternary", "binary", 4)
KINDS = (2, "bipolar", 8, "ternary", 4)
BLOCKS, EACH = 4 if FULL else 2, 8


def exact(seed: int) -> bool:
    """False for a refusal; asserts that the converted network and its graph give the same."""
    torch.manual_seed(seed)
    model, shape = random_net(seed)
    model.train(bool(seed % 2))
    x = torch.randint(0, 256, (24, *shape)).float()
    x[0], x[1] = 0, 255
    try:
        kinds = {"weights": WEIGHTS[seed % 3], "activations": KINDS[seed % 5]}
        converted = q.convert(model, x, **kinds, quiet=True, check=seed % 4 == 0).eval()
        graph = lower(converted, x)
    except EdgeTernaryError as error:
        assert error.why and error.remedy, error
        return False
    codes = x.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    said = run(graph, codes, on="torch", options={"torch_model": converted}).outputs
    np.testing.assert_array_equal(said, run(graph, codes).outputs, err_msg=f"network {seed}")
    return True


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_networks(block: int) -> None:
    lowered = [exact(seed) for seed in range(block * EACH, (block + 1) * EACH)]
    assert sum(lowered) >= EACH - 2, "few are refused"
