"""probe-rs: `download --verify`, then a reset (probe.rs, "CLI")."""

import re

from edgeternary.flash.job import Command, Job, Probe, Program
from edgeternary.flash.listing import said


def command(job: Job) -> Command:
    probe = ["--probe", job.probe] if job.probe else []
    image = job.file(".elf", ".hex")
    return ["probe-rs", "download", "--chip", job.name, *probe, "--verify", image]


def probes(name: str) -> list[Probe]:
    """Lines such as [0]: STLink V2-1 -- 0483:374b:066AFF (ST-LINK)."""
    rows = re.findall(r"^\[\d+\]: (.*?) -- (\S+)", said(["probe-rs", "list"]), re.M)
    return [Probe(id, about) for about, id in rows]


PROGRAM = Program("probe-rs", command, probes=probes)
