"""Chooses a program that the board's file names and this machine has, and writes the image with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.flash import faults, pyocd, uf2
from edgeternary.flash.check import checked_files
from edgeternary.flash.commands import COMMANDS
from edgeternary.flash.job import Job, Program
from edgeternary.link.build import Build
from edgeternary.toolchains import find, require, run

SECONDS = 600.0  # enough for the largest flash and the slowest probe

PROGRAMS: dict[str, Program] = {"pyocd": pyocd.PROGRAM, "uf2": uf2.PROGRAM, **COMMANDS}


def choose(build: Build, tool: str = "", probe: str = "", dry: bool = False) -> str:
    """The tool for a build: `tool`, or the first one that the board's file names and this machine has.

    dry  if this machine has none, take the first one that the board's file names
    EdgeTernaryError if the board has no tool, or not this one (code 2), or if none is installed (code 3).
    """
    names = list(build.board.tools)
    if not names:
        raise EdgeTernaryError(
            f"{build.board.title} cannot be flashed",
            "the board exists in an emulator only" if build.board.emulator else "its file names no tool",
            "edgeternary verify FOLDER --emulate",
            USAGE,
        )
    if tool and tool not in names:
        why = f"its file names {', '.join(names)}"
        raise EdgeTernaryError(
            f"{build.board.title} cannot be flashed with {tool}", why, f"use --tool {names[0]}", USAGE
        )
    if tool:
        return tool
    for name in names:
        program = PROGRAMS[name]
        job = Job(build, build.board.tools[name], probe)
        if (not program.tool or find(program.tool).found) and program.ready(job):
            return name
    if dry:
        return names[0]
    hints = [find(PROGRAMS[name].tool).install for name in names if PROGRAMS[name].tool]
    drive = "; or hold BOOTSEL while you plug the board in, and mount its drive" if "uf2" in names else ""
    raise EdgeTernaryError(
        f"no tool for flashing {build.board.title} is installed",
        f"its file names {', '.join(names)}",
        f"install one of them: {'; '.join(hints)}{drive}",
        TOOL_MISSING,
    )


def flash(
    build: Build,
    tool: str = "",
    probe: str = "",
    dry: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Checks the image and writes it.

    Returns {"board", "tool", "command", "image", "digest", "verified", "dry_run"}; verified tells whether the
    flash was read back and is equal to the image.
    EdgeTernaryError as in checked_files and choose; also for no probe, several probes, no permission, a
    locked chip, and a flash that differs from the image.
    """
    name = choose(build, tool, probe, dry)
    program = PROGRAMS[name]
    job = Job(build, build.board.tools[name], probe, checked_files(build))
    if not dry:
        if program.tool:
            require(program.tool)
        job = replace(job, probe=_probe(name, program, job))
    command = program.command(job)
    if not dry:
        progress(f"{' '.join(command)} ...")
        _write(name, program, job, command)
    return {
        "board": build.board.name,
        "tool": name,
        "command": command,
        "image": build.image.name,
        "digest": build.digest,
        "verified": not dry and program.verified(job),
        "dry_run": dry,
    }


def _probe(name: str, program: Program, job: Job) -> str:
    """The id of the probe; "" if the tool itself finds the only one."""
    found = program.probes(job.name)
    if found is None:
        return job.probe
    if not job.probe and len(found) > 1:
        raise faults.several(name, found)
    if job.probe and job.probe not in [probe.id for probe in found]:
        raise faults.unknown_probe(name, job.probe, found)
    return job.probe


def _write(name: str, program: Program, job: Job, command: list[str]) -> None:
    title = job.build.board.title
    if program.write is not None:
        if not program.probes(job.name):
            raise faults.no_probe(name, title, program.hint)
        program.write(job)
        return
    try:
        run(command, what=f"flashing {title} with {name}", timeout=SECONDS)
    except EdgeTernaryError as error:
        known = faults.diagnosed(name, title, error.why)
        if known is not None:
            raise known from error
        raise


def probes() -> list[dict[str, str]]:
    """The probes that the installed tools list: {"tool", "probe", "about"}."""
    rows = []
    for name in ("pyocd", "probe-rs", "st-flash"):
        program = PROGRAMS[name]
        if find(program.tool).found:
            for probe in program.probes("") or []:
                rows.append({"tool": name, "probe": probe.id, "about": probe.about})
    return rows
