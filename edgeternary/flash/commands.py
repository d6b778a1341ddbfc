"""The tools that write an image with one command. Their help texts and manuals give the options."""

import re
import shlex

from edgeternary.errors import EdgeTernaryError
from edgeternary.flash.job import Command, Job, Probe, Program
from edgeternary.toolchains import run

LISTING = 20.0  # seconds


def _probe_rs(job: Job) -> Command:
    image = job.file(".elf", ".hex")
    return ["probe-rs", "download", "--chip", job.name, *_option("--probe", job), "--verify", image]


def _probe_rs_probes(name: str) -> list[Probe]:
    """Probes of lines such as [0]: STLink V2-1 -- 0483:374b:066AFF (ST-LINK)."""
    rows = re.findall(r"^\[\d+\]: (.*?) -- (\S+)", _said(["probe-rs", "list"]), re.M)
    return [Probe(id, about) for about, id in rows]


def _openocd(job: Job) -> Command:
    """`program` writes, verifies and resets."""
    scripts = [part for script in job.name.split(",") for part in ("-f", script.strip())]
    serial = ["-c", f"adapter serial {job.probe}"] if job.probe else []
    return ["openocd", *scripts, *serial, "-c", f"program {{{job.file('.elf', '.hex')}}} verify reset exit"]


def _st_flash(job: Job) -> Command:
    return ["st-flash", *_option("--serial", job), "--reset", "write", job.file(".bin"), job.name]


def _st_flash_probes(name: str) -> list[Probe]:
    """Probes of lines `serial: ...`. A probe also has a line `dev-type: ...`, unless its chip sleeps."""
    text = _said(["st-info", "--probe"])
    return [Probe(serial, "ST-LINK") for serial in re.findall(r"^\s*serial:\s*(\S+)", text, re.M)]


def _dfu_util(job: Job) -> Command:
    """The board's file gives ALT, or ALT:ADDRESS for chips of ST, which then start the image."""
    alt, _, address = job.name.partition(":")
    place = ["--dfuse-address", f"{address}:leave"] if address else []
    return ["dfu-util", "--alt", alt, *place, *_option("--serial", job), "--download", job.file(".bin")]


def _dfu_util_probes(name: str) -> list[Probe]:
    """Devices of lines such as Found DFU: [0483:df11] ..., alt=0, name="...", serial="3275", each once."""
    alt = name.partition(":")[0]
    line = r'^Found DFU: \[(\S+)\].*alt=(\d+), name="(.*?)", serial="(.*?)"'
    found = re.findall(line, _said(["dfu-util", "-l"]), re.M)
    return [Probe(serial, f"{usb} {about}") for usb, number, about, serial in found if number == alt]


def _picotool(job: Job) -> Command:
    image = job.file(".uf2", ".elf")
    return ["picotool", "load", "--verify", "--execute", image, *_option("--ser", job)]


def _openfpgaloader(job: Job) -> Command:
    verify = ["--verify"] if _reads_back(job) else []
    board = ["--board", job.name, *_option("--ftdi-serial", job)]
    return ["openFPGALoader", *board, "--write-flash", *verify, job.file()]


def _reads_back(job: Job) -> bool:
    """openFPGALoader reads back SPI flash. It checks the flash in a Gowin chip by a checksum."""
    return job.build.board.fpga is None or job.build.board.fpga.family != "gowin"


def _prog(tool: str) -> Program:
    """iceprog or ecpprog, which write and read back the flash of a board. -S writes the chip's memory."""
    command = lambda job: [tool, *shlex.split(job.name), *_option("-d", job), job.file()]  # noqa: E731
    return Program(tool, command, verified=lambda job: "-S" not in shlex.split(job.name))


def _option(name: str, job: Job) -> Command:
    return [name, job.probe] if job.probe else []


def _said(command: Command) -> str:
    """The output of a listing command; "" if it fails, as some do when there is nothing to list."""
    try:
        return run(command, what=f"listing with {command[0]}", timeout=LISTING)
    except EdgeTernaryError:
        return ""


COMMANDS = {
    "probe-rs": Program("probe-rs", _probe_rs, probes=_probe_rs_probes),
    "openocd": Program("openocd", _openocd),
    "st-flash": Program("st-flash", _st_flash, probes=_st_flash_probes),
    "dfu-util": Program("dfu-util", _dfu_util, verified=lambda job: False, probes=_dfu_util_probes),
    "picotool": Program("picotool", _picotool),
    "openFPGALoader": Program("openFPGALoader", _openfpgaloader, verified=_reads_back),
    "iceprog": _prog("iceprog"),
    "ecpprog": _prog("ecpprog"),
}
