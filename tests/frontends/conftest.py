"""Every test here starts from the same random numbers."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def seed() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
