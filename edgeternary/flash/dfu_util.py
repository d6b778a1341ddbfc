"""dfu-util: a device in its boot loader's DFU mode. It does not read back (its manual page)."""

import re

from edgeternary.flash.job import Command, Job, Probe, Program
from edgeternary.flash.listing import said


def command(job: Job) -> Command:
    """The board's file gives --alt, or --alt:address for chips of ST, which then start the image."""
    alt, _, address = job.name.partition(":")
    place = ["--dfuse-address", f"{address}:leave"] if address else []
    serial = ["--serial", job.probe] if job.probe else []
    return ["dfu-util", "--alt", alt, *place, *serial, "--download", job.file(".bin")]


def probes(name: str) -> list[Probe]:
    """Lines such as Found DFU: [0483:df11] ..., alt=0, name="...", serial="3275"; each once, not by alt."""
    alt = name.partition(":")[0]
    found = re.findall(
        r'^Found DFU: \[(\S+)\].*alt=(\d+), name="(.*?)", serial="(.*?)"', said(["dfu-util", "-l"]), re.M
    )
    return [Probe(serial, f"{usb} {about}") for usb, number, about, serial in found if number == alt]


PROGRAM = Program("dfu-util", command, verified=lambda job: False, probes=probes)
