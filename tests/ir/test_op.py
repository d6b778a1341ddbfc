"""An op is one file: what it lacks is an error at its import, and what is there is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import edgeternary
from edgeternary import ops
from edgeternary.ir import REGISTRY

METHODS = {
    "infer": "    def infer(self, ins): return ins[0]",
    "ref": "    def ref(self, *xs): return -xs[0]",
    "examples": "    @classmethod\n    def examples(cls, rng): return []",
}
HEAD = """
from typing import ClassVar
from edgeternary.ir import Op
class Negate(Op, frozen=True, kw_only=True, eq=False):
    kind: ClassVar[str] = "negate"
"""


def imported(folder: Path, methods: list[str]) -> subprocess.CompletedProcess[str]:
    """What `import edgeternary.ops` says of a package with one file more, ops/negate.py."""
    package = Path(edgeternary.__file__).parent
    copy = folder / "edgeternary"
    (copy / "ops").mkdir(parents=True)
    for original in (package, package / "ops"):
        for item in original.iterdir():
            if item.name not in ("ops", "__pycache__"):
                (copy / item.relative_to(package)).symlink_to(item)
    (copy / "ops" / "negate.py").write_text(HEAD + "\n".join(methods))
    script = "import edgeternary.ops, edgeternary.ir; print(*edgeternary.ir.REGISTRY)"
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)


def test_a_new_op_is_one_file(tmp_path: Path) -> None:
    assert "negate" in imported(tmp_path, list(METHODS.values())).stdout.split()


@pytest.mark.parametrize("missing", METHODS)
def test_an_op_that_lacks_a_method(missing: str, tmp_path: Path) -> None:
    done = imported(tmp_path, [text for name, text in METHODS.items() if name != missing])
    assert done.stderr.strip().endswith(f"TypeError: edgeternary.ops.negate.Negate lacks {missing}")


def test_every_op_that_is_exported_is_registered() -> None:
    assert {getattr(ops, name).kind for name in ops.__all__} == set(REGISTRY)
