"""flash: which tool, which command, what is refused, and what a tool's complaint means."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary.boards import TOOLS, load_all
from edgeternary.errors import BAD_INPUT, DOES_NOT_FIT, TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.flash import PROGRAMS
from edgeternary.flash.faults import diagnosed
from edgeternary.toolchains import CATALOG
from tests.flash.conftest import Et, build_for

Tools = Callable[..., Path]

PROGRAM = "-c 'program {small.hex} verify reset exit'"
COMMANDS = {
    ("nucleo_l476rg", "openocd"): "openocd -f board/st_nucleo_l4.cfg " + PROGRAM,
    ("nucleo_l476rg", "probe-rs"): "probe-rs download --chip STM32L476RGTx --verify small.hex",
    ("nucleo_l476rg", "st-flash"): "st-flash --reset write small.bin 0x08000000",
    ("nucleo_l476rg", "pyocd"): "pyocd load --no-wait --target stm32l476rgtx small.hex",
    ("microbit", "openocd"): "openocd -f interface/cmsis-dap.cfg -f target/nrf51.cfg " + PROGRAM,
    ("pico", "picotool"): "picotool load --verify --execute small.uf2",
    ("pico", "uf2"): f"cp small.uf2 /media/{getpass.getuser()}/RPI-RP2",
    ("icebreaker", "iceprog"): "iceprog design.bin",
    ("ulx3s_12f", "openFPGALoader"): "openFPGALoader --board ulx3s --write-flash --verify design.bin",
    ("tang_nano_9k", "openFPGALoader"): "openFPGALoader --board tangnano9k --write-flash design.bin",
    ("orangecrab", "dfu-util"): "dfu-util --alt 0 --download design.bin",
}  # fmt: skip


def test_every_tool_of_every_board_is_known() -> None:
    assert set(PROGRAMS) == set(TOOLS)
    assert all(program.tool in ("", *CATALOG) for program in PROGRAMS.values())
    for board in load_all().values():
        assert set(board.tools) <= set(PROGRAMS)
        assert board.tools or board.kind == "emulated", board.name


@pytest.mark.parametrize("board, tool", COMMANDS)
def test_commands(et: Et, tools: Tools, tmp_path: Path, board: str, tool: str) -> None:
    """--dry-run prints what a user would type, whether the tool is here or not."""
    folder = build_for(tmp_path / "b", board)
    answer = et("flash", folder, "--tool", tool, "--dry-run")
    assert (answer.code, answer.out.strip().replace(f"{folder}/", "")) == (0, COMMANDS[board, tool])


@pytest.mark.parametrize("board", [board.name for board in load_all().values() if board.tools])
def test_every_board_has_a_command(et: Et, tools: Tools, tmp_path: Path, board: str) -> None:
    """The image fits, whatever the tool; the probe is named."""
    folder = build_for(tmp_path / "b", board)
    for tool in load_all()[board].tools:
        done = et("flash", folder, "--tool", tool, "--dry-run", "--probe", "P1", "--json").json()
        assert done["tool"] == tool and not done["verified"]
        assert "P1" in " ".join(done["command"]) and str(folder) in " ".join(done["command"])


def test_the_first_tool_that_is_here(et: Et, tools: Tools, tmp_path: Path) -> None:
    folder = build_for(tmp_path / "b", "nucleo_l476rg")
    st = tools("st-flash")
    assert et("flash", folder, "--json").json()["tool"] == "st-flash"
    assert st.read_text().split() == ["--reset", "write", f"{folder}/small.bin", "0x08000000"]


def test_the_boards_order_decides(et: Et, tools: Tools, tmp_path: Path) -> None:
    folder = build_for(tmp_path / "b", "nucleo_l476rg")
    log = tools("probe-rs")
    tools("st-flash")
    done = et("flash", folder, "--json").json()
    assert done["tool"] == "probe-rs" and done["verified"]
    assert log.read_text().split()[:3] == ["list", "download", "--chip"]


def test_no_tool(et: Et, tools: Tools, tmp_path: Path) -> None:
    folder = build_for(tmp_path / "b", "nucleo_l476rg")
    answer = et("flash", folder)
    assert (
        answer.code == TOOL_MISSING
        and "apt install openocd" in answer.err
        and "pip install pyocd" in answer.err
    )
    answer = et("flash", folder, "--tool", "openocd")
    assert answer.code == TOOL_MISSING and "apt install openocd" in answer.err
    answer = et("flash", folder, "--tool", "iceprog")
    assert answer.code == USAGE and "names pyocd" in answer.err
    answer = et("flash", build_for(tmp_path / "e", "mps2_an385"))
    assert answer.code == USAGE and "--emulate" in answer.err


def change(path: Path) -> None:
    """One bit of the payload."""
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))


def test_images_that_are_refused(et: Et, tools: Tools, tmp_path: Path) -> None:
    """None of them reaches the tool."""
    log = tools("st-flash")
    other = build_for(tmp_path / "other", "nucleo_l476rg", stamped_for="nucleo_f446re")
    answer = et("flash", other)
    assert answer.code == BAD_INPUT and "is an image for nucleo_f446re" in answer.err
    changed = build_for(tmp_path / "changed", "nucleo_l476rg")
    change(changed / "small.bin")
    answer = et("flash", changed)
    assert answer.code == BAD_INPUT and "digest is wrong" in answer.err
    mixed = build_for(tmp_path / "mixed", "nucleo_l476rg")
    (mixed / "small.bin").write_bytes(
        (build_for(tmp_path / "m", "nucleo_l476rg", 3000) / "small.bin").read_bytes()
    )
    answer = et("flash", mixed)
    assert answer.code == BAD_INPUT and "belongs to another build" in answer.err
    large = build_for(tmp_path / "large", "nucleo_f030r8", 70_000)
    answer = et("flash", large, "--dry-run")
    assert answer.code == DOES_NOT_FIT and "70,000 bytes" in answer.err and "65,536" in answer.err
    headless = build_for(tmp_path / "headless", "nucleo_l476rg")
    (headless / "small.bin").write_bytes(bytes(900))
    assert "no header" in et("flash", headless).err
    bits = build_for(tmp_path / "bits", "icebreaker")
    change(bits / "design.bin")
    answer = et("flash", bits, "--dry-run")
    assert answer.code == BAD_INPUT and "belongs to another build" in answer.err
    assert not log.exists()


SAYS = {
    "openocd": [
        ("Error: unable to find a matching CMSIS-DAP device", "finds no"),
        ("Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", "may not open"),
        ("Error: stm32x device protected, read out protection is on: locked", "is locked"),
        ("Error: checksum mismatch - attempting binary compare\n** Verify Failed **", "differs from the"),
        ("Error: something else", "failed"),
    ],
    "st-flash": [
        ("Couldn't find any ST-Link devices", "finds no"),
        (
            "libusb: error [get_usbfs_fd] libusb couldn't open USB device, errno=13: Permission denied",
            "may not",
        ),
    ],
}


@pytest.mark.parametrize("tool, says, means", [(tool, *row) for tool, rows in SAYS.items() for row in rows])
def test_complaints(et: Et, tools: Tools, tmp_path: Path, tool: str, says: str, means: str) -> None:
    folder = build_for(tmp_path / "b", "nucleo_l476rg")
    tools(tool, f'/bin/cat <<"E"\n{says}\nE\nexit 1' if tool == "openocd" else f'echo "{says}"; exit 1')
    answer = et("flash", folder, "--tool", tool)
    assert answer.code == BAD_INPUT and means in answer.err and "Traceback" not in answer.err
    assert says.splitlines()[-1][:40] in answer.err or says.splitlines()[0][:40] in answer.err


def test_permission_comes_with_a_rule() -> None:
    error = diagnosed("iceprog", "iCEBreaker", "Can't find iCE FTDI USB device (vendor_id 0x0403).")
    assert error and "finds no" in error.what
    error = diagnosed("openFPGALoader", "ULX3S", "unable to open ftdi device: -4 (usb_open() failed)")
    assert error and "may not" in error.what and "udev" in error.remedy
    assert diagnosed("x", "y", "all is well") is None


LISTED = """The following debug probes were found:
[0]: STLink V2-1 -- 0483:374b:066AFF (ST-LINK)
[1]: STLink V3 -- 0483:374e:003300 (ST-LINK)
"""


def test_several_probes(et: Et, tools: Tools, tmp_path: Path) -> None:
    folder = build_for(tmp_path / "b", "nucleo_l476rg")
    log = tools("probe-rs", f'[ "$1" = list ] && echo "{LISTED}"')
    answer = et("flash", folder, "--tool", "probe-rs")
    assert answer.code == USAGE and "several" in answer.err
    assert "--probe 0483:374b:066AFF" in answer.err and "--probe 0483:374e:003300" in answer.err
    answer = et("flash", folder, "--tool", "probe-rs", "--probe", "0483:ffff:1")
    assert answer.code == USAGE and "no probe 0483:ffff:1" in answer.err
    tools("probe-rs", f'[ "$1" = list ] && echo "{LISTED}"; exit 0')
    assert et("flash", folder, "--tool", "probe-rs", "--probe", "0483:374e:003300").code == 0
    assert "0483:374e:003300" in log.read_text()
    tools("st-info", 'echo "Found 2 stlink programmers"; echo " serial: AA1"; echo " serial: BB2"')
    tools("st-flash")
    answer = et("flash", folder, "--tool", "st-flash")
    assert answer.code == USAGE and "--probe BB2" in answer.err


def test_a_tool_that_hangs(et: Et, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeternary.flash.programs.SECONDS", 0.3)
    folder = build_for(tmp_path / "b", "icebreaker")
    tools("iceprog", "while :; do :; done")
    answer = et("flash", folder)
    assert answer.code == BAD_INPUT and "did not finish" in answer.err


def test_a_drive(et: Et, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UF2: the drive with the right label and an INFO_UF2.TXT gets the file, bit for bit."""
    folder = build_for(tmp_path / "b", "pico")
    drive, stick = tmp_path / "RPI-RP2", tmp_path / "STICK"
    for place in (drive, stick):
        place.mkdir()
    monkeypatch.setattr("edgeternary.flash.uf2._mounted", lambda: [stick, drive])
    answer = et("flash", folder)
    assert answer.code == TOOL_MISSING and "BOOTSEL" in answer.err
    answer = et("flash", folder, "--tool", "uf2")
    assert answer.code == BAD_INPUT and "hold BOOTSEL" in answer.err
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    done = et("flash", folder, "--json").json()
    assert done["tool"] == "uf2" and not done["verified"] and not list(stick.iterdir())
    assert (drive / "small.uf2").read_bytes() == (folder / "small.uf2").read_bytes()
    second = tmp_path / "RPI-RP2" / "x" / "RPI-RP2"
    second.mkdir(parents=True)
    (second / "INFO_UF2.TXT").touch()
    monkeypatch.setattr("edgeternary.flash.uf2._mounted", lambda: [drive, second])
    assert et("flash", folder).code == USAGE
    assert et("flash", folder, "--probe", second).code == 0 and (second / "small.uf2").is_file()


def test_digests_agree(et: Et, tools: Tools, tmp_path: Path) -> None:
    folder = build_for(tmp_path / "b", "microbit")
    done = et("flash", folder, "--dry-run", "--json").json()
    assert done["digest"] == json.loads((folder / "edgeternary.json").read_text())["digest"]
    with pytest.raises(EdgeTernaryError, match="no tool for flashing"):
        from edgeternary.flash import choose
        from edgeternary.link.build import read_build

        choose(read_build(folder))
