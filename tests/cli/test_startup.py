"""The command line answers at once and loads nothing it does not need."""

from __future__ import annotations

import resource
import subprocess
import sys

HEAVY = ("numpy", "torch", "amaranth", "rich", "jinja2", "unicorn", "safetensors", "msgspec")


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_help_is_fast() -> None:
    """Processor time, not wall time: other tests run beside this one."""
    spent = []
    for _ in range(3):
        before = _children_seconds()
        subprocess.run([sys.executable, "-m", "edgeternary", "--help"], check=True, capture_output=True)
        spent.append(_children_seconds() - before)
    assert min(spent) < 0.3


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from edgeternary import cli; cli.call(['--help']); import edgeternary;"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "simulate" in done.stdout


def test_version_is_that_of_the_package() -> None:
    import edgeternary

    done = subprocess.run(
        [sys.executable, "-m", "edgeternary", "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == edgeternary.__version__
