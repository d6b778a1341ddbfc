"""A UF2 boot loader looks like a drive. The image is copied to it, and the board restarts."""

import getpass
import os
import re
import string
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.flash.job import Command, Job, Probe, Program

INFO = "INFO_UF2.TXT"  # Microsoft's UF2 specification: every such drive has this file
MEDIA = ("/media", "/run/media", "/mnt", "/Volumes")


def drives(label: str) -> list[Path]:
    """Mounted drives of a UF2 boot loader with this label."""
    places = [Path(f"{letter}:\\") for letter in string.ascii_uppercase] if os.name == "nt" else _mounted()
    found = [place for place in places if (place / INFO).is_file()]
    return [place for place in found if os.name == "nt" or place.name.startswith(label)]


def command(job: Job) -> Command:
    found = [job.probe] if job.probe else [str(drive) for drive in drives(job.name)]
    return ["cp", job.file(".uf2"), found[0] if found else str(Path("/media", getpass.getuser(), job.name))]


def probes(name: str) -> list[Probe]:
    return [Probe(str(drive), f"drive {name}") for drive in drives(name)]


def write(job: Job) -> None:
    """Copies the image and waits until it is on the drive. The drive disappears when the board restarts."""
    drive = job.probe or str(next(iter(drives(job.name)), job.name))
    data = Path(job.file(".uf2")).read_bytes()
    target = Path(drive, Path(job.file(".uf2")).name)
    try:
        with target.open("wb") as stream:
            stream.write(data)
            stream.flush()
            try:
                os.fsync(stream.fileno())
            except OSError:
                pass  # the board has received the last block and restarted, so its drive is gone
    except PermissionError as error:
        raise EdgeTernaryError(
            f"the drive {drive} cannot be written",
            str(error),
            f"mount it for your user, or run: sudo cp ... {drive}",
        ) from error
    except OSError as error:
        raise EdgeTernaryError(
            f"copying to {drive} failed",
            str(error),
            "hold BOOTSEL while you plug the board in, then flash it again",
        ) from error


def _mounted() -> list[Path]:
    """The mount points in the kernel's list, and the folders below the usual places."""
    try:
        table = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        points = [line.split()[1] for line in table.splitlines() if len(line.split()) > 1]
        found = [Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), point)) for point in points]
    except OSError:
        found = []
    for base in filter(Path.is_dir, map(Path, MEDIA)):
        found += [*base.glob("*"), *base.glob("*/*")]
    return sorted(set(found))


PROGRAM = Program(
    "",
    command,
    verified=lambda job: False,
    probes=probes,
    write=write,
    ready=lambda job: bool(job.probe or drives(job.name)),
    hint="its drive is not mounted: hold BOOTSEL while you plug the board in",
)
