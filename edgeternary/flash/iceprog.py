"""iceprog: writes and reads back the flash of an iCE40 board; -S: the chip's own memory (its help text)."""

import shlex

from edgeternary.flash.job import Command, Job, Program


def command(job: Job) -> Command:
    device = ["-d", job.probe] if job.probe else []
    return ["iceprog", *shlex.split(job.name), *device, job.file()]


PROGRAM = Program("iceprog", command, verified=lambda job: "-S" not in shlex.split(job.name))
