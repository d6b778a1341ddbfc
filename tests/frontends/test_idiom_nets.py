"""Random networks with idioms: each is exact on every sample or refused, and the rules alone suffice."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from tests.frontends.idiom_nets import random_net  # noqa: E402
from tests.frontends.test_idioms import mismatches  # noqa: E402

pytestmark = pytest.mark.torch

DEPENDS_ON_THE_BATCH = "in a batch"  # what only the check at the end can see


@pytest.mark.parametrize("block", range(4))
def test_exact_or_refused(block: int) -> None:
    exact = 0
    for seed in range(block * 12, block * 12 + 12):
        model, x, kind = random_net(seed)
        with torch.no_grad():
            once = model(x[:1])
        try:
            graph = lower(model, x[:2], input_type=kind)
        except EdgeTernaryError as error:
            assert DEPENDS_ON_THE_BATCH in str(error) or "not lowered exactly" not in str(error), seed
            continue
        assert mismatches(graph, model, x, 1) == 0, seed
        assert mismatches(graph, model, x, len(x)) == 0, seed
        assert once.shape[1:].numel() == graph.output_value.size
        exact += 1
    assert exact >= 5, "most of them were refused"
