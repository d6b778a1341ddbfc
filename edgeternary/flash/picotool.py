"""picotool: loads, verifies and starts an image on an RP2040 in its boot ROM (its help text)."""

from edgeternary.flash.job import Command, Job, Program


def command(job: Job) -> Command:
    serial = ["--ser", job.probe] if job.probe else []
    return ["picotool", "load", "--verify", "--execute", job.file(".uf2", ".elf"), *serial]


PROGRAM = Program("picotool", command)
