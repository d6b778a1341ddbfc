"""What describes itself is complete: a class without one of its methods is refused where it is defined."""

from __future__ import annotations

import pytest

from edgeternary.c.kernel import Kernel
from edgeternary.c.kernels import kernels
from edgeternary.c.lanes.after import KINDS, After, Sums

METHODS = ("plan", "c", "thumb1", "thumb2", "helium", "cycles", "words")


def test_a_kernel_names_what_it_lacks() -> None:
    with pytest.raises(TypeError, match=r"test_described\.\S*Half lacks body, name, offers, patterns$"):

        class Half(Kernel):
            pass


@pytest.mark.parametrize("missing", METHODS)
def test_a_kind_of_step_names_what_it_lacks(missing: str) -> None:
    """As if its file did not have the method."""
    body = {name: getattr(Sums, name) for name in ("kind", "formula", *METHODS) if name != missing}
    with pytest.raises(TypeError, match=rf"Half lacks {missing}$"):
        type("Half", (After,), body)


def test_kernels_and_kinds_have_names_of_their_own() -> None:
    for names in ([kernel.name for kernel in kernels()], [kind.kind for kind in KINDS]):
        assert len(names) == len(set(names))
