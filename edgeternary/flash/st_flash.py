"""st-flash of the stlink tools: writes a .bin to an address and compares it (its manual page)."""

import re

from edgeternary.flash.job import Command, Job, Probe, Program
from edgeternary.flash.listing import said


def command(job: Job) -> Command:
    serial = ["--serial", job.probe] if job.probe else []
    return ["st-flash", *serial, "--reset", "write", job.file(".bin"), job.name]


def probes(name: str) -> list[Probe]:
    """Lines `serial: ...` and `dev-type: ...` of each probe; a chip that is asleep has no type."""
    text = said(["st-info", "--probe"])
    return [Probe(serial, "ST-LINK") for serial in re.findall(r"^\s*serial:\s*(\S+)", text, re.M)]


PROGRAM = Program("st-flash", command, probes=probes)
