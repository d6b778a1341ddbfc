"""Uses the API of pyOCD, which opens the probe, writes, reads back and resets (pyocd.io, "Python API")."""

from pathlib import Path
from typing import Any

from edgeternary.errors import EdgeTernaryError
from edgeternary.flash import faults
from edgeternary.flash.job import Command, Job, Probe, Program
from edgeternary.image import formats

CHUNK = 4096  # bytes that are read back at a time


def command(job: Job) -> Command:
    """The equivalent command line. Unlike the API, it does not read back."""
    probe = ["--uid", job.probe] if job.probe else []
    return ["pyocd", "load", "--no-wait", "--target", job.name, *probe, job.file(".hex", ".elf")]


def probes(name: str = "") -> list[Probe]:
    """The debug probes that are plugged in."""
    from pyocd.core.helpers import ConnectHelper

    found = ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
    return [Probe(probe.unique_id, probe.description) for probe in found]


def write(job: Job) -> None:
    from pyocd.core import exceptions
    from pyocd.core.helpers import ConnectHelper

    title = job.build.board.title
    try:
        session = ConnectHelper.session_with_chosen_probe(
            unique_id=job.probe or None, target_override=job.name, blocking=False, return_first=True,
            options={"hide_programming_progress": True, "auto_unlock": False},
        )  # fmt: skip
        if session is None:
            raise faults.no_probe("pyocd", title)
        with session:
            _program(session, job)
    except exceptions.TargetSupportError as error:
        raise EdgeTernaryError(
            f"pyocd does not know {job.name}", str(error), f"install its pack: pyocd pack install {job.name}"
        ) from error
    except exceptions.Error as error:
        known = faults.diagnosed("pyocd", title, str(error))
        raise known or EdgeTernaryError(
            f"pyocd could not write {title}", str(error) or type(error).__name__,
            "press reset while it connects, or try another tool with --tool",
        ) from error  # fmt: skip


def _program(session: Any, job: Job) -> None:
    from pyocd.flash.file_programmer import FileProgrammer

    file = job.file(".hex", ".elf")
    FileProgrammer(session, no_reset=True).program(file)
    address, image = formats.load(Path(file))
    if address is None:
        address = job.build.board.flash.origin if job.build.board.flash else 0
    for at in range(0, len(image), CHUNK):
        part = image[at : at + CHUNK]
        if bytes(session.target.read_memory_block8(address + at, len(part))) != part:
            raise faults.differs(
                "pyocd", job.build.board.title, f"the bytes from {address + at:#x} on differ"
            )
    session.target.reset()


PROGRAM = Program("pyocd", command, probes=probes, write=write)
