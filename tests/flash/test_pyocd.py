"""flash by pyOCD's API, with a probe and a chip that are Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeternary.errors import BAD_INPUT, USAGE
from edgeternary.image import formats
from edgeternary.toolchains import find
from tests.flash.conftest import Et, build_for

ORIGIN = 0x0800_0000


class Chip:
    """Flash that may lose a bit."""

    def __init__(self, broken: int = -1) -> None:
        self.memory = bytearray(b"\xff" * 100_000)
        self.broken, self.resets = broken, 0

    def read_memory_block8(self, address: int, size: int) -> list[int]:
        found = bytearray(self.memory[address - ORIGIN : address - ORIGIN + size])
        if 0 <= self.broken - (address - ORIGIN) < size:
            found[self.broken - (address - ORIGIN)] ^= 0x10
        return list(found)

    def reset(self) -> None:
        self.resets += 1


class Session:
    def __init__(self, chip: Chip) -> None:
        self.target = chip

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Bench:
    """What is plugged in, and what happens when a session opens."""

    def __init__(self) -> None:
        self.probes = [("0670FF", "ST-LINK/V2-1")]
        self.chip = Chip()
        self.error: Exception | None = None
        self.opened: dict[str, Any] = {}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    helpers = pytest.importorskip("pyocd.core.helpers", reason="pip install pyocd")
    import pyocd.flash.file_programmer as programmer

    bench = Bench()

    class Probe:
        def __init__(self, id: str, about: str) -> None:
            self.unique_id, self.description = id, about

    class Programmer:
        def __init__(self, session: Session, **_: object) -> None:
            self.chip = session.target

        def program(self, path: str) -> None:
            address, data = formats.load(Path(path))
            assert address == ORIGIN
            self.chip.memory[: len(data)] = data

    def connect(**options: Any) -> Session | None:
        bench.opened = options
        if bench.error:
            raise bench.error
        return Session(bench.chip) if bench.probes else None

    found = lambda **_: [Probe(*row) for row in bench.probes]  # noqa: E731
    monkeypatch.setattr(helpers.ConnectHelper, "get_all_connected_probes", staticmethod(found))
    monkeypatch.setattr(helpers.ConnectHelper, "session_with_chosen_probe", staticmethod(connect))
    monkeypatch.setattr(programmer, "FileProgrammer", Programmer)
    find.cache_clear()
    yield bench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_for(tmp_path / "b", "nucleo_l476rg")


def test_written_and_read_back(et: Et, bench: Bench, folder: Path) -> None:
    done = et("flash", folder, "--json").json()
    assert done["tool"] == "pyocd" and done["verified"]
    data = (folder / "small.bin").read_bytes()
    assert bytes(bench.chip.memory[: len(data)]) == data and bench.chip.resets == 1
    assert bench.opened["target_override"] == "stm32l476rgtx" and not bench.opened["blocking"]


def test_a_bit_that_is_lost(et: Et, bench: Bench, folder: Path) -> None:
    bench.chip.broken = 1234
    answer = et("flash", folder)
    assert answer.code == BAD_INPUT and "differs from the image" in answer.err


def test_no_probe(et: Et, bench: Bench, folder: Path) -> None:
    bench.probes = []
    answer = et("flash", folder)
    assert answer.code == BAD_INPUT and "finds no ST NUCLEO-L476RG" in answer.err


def test_several_probes(et: Et, bench: Bench, folder: Path) -> None:
    bench.probes.append(("0671AA", "ST-LINK/V3"))
    answer = et("flash", folder)
    assert answer.code == USAGE and "--probe 0670FF" in answer.err and "--probe 0671AA" in answer.err
    assert not bench.opened
    assert et("flash", folder, "--probe", "0671AA").code == 0
    assert bench.opened["unique_id"] == "0671AA"


def test_errors_of_pyocd(et: Et, bench: Bench, folder: Path) -> None:
    from pyocd.core import exceptions

    for error, said in {
        exceptions.TargetSupportError("target type stm32l476rgtx not recognized"): "pyocd pack install",
        exceptions.ProbeError("USB error: [Errno 13] Access denied (insufficient permissions)"): "udev",
        exceptions.TransferFaultError("the core is locked by APPROTECT"): "is locked",
        exceptions.FlashEraseFailure("flash erase sector failure", address=ORIGIN): "could not write",
    }.items():
        bench.error = error
        answer = et("flash", folder)
        assert answer.code == BAD_INPUT and said in answer.err and "Traceback" not in answer.err


def test_doctor_shows_probes(et: Et, bench: Bench) -> None:
    rows = et("doctor", "--json").json()["probes"]
    assert {"tool": "pyocd", "probe": "0670FF", "about": "ST-LINK/V2-1"} in rows
    assert "0670FF" in et("doctor").out
