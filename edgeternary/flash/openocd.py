"""OpenOCD: `program` writes, verifies and resets (OpenOCD User's Guide, "Flash Programming")."""

from edgeternary.flash.job import Command, Job, Program


def command(job: Job) -> Command:
    scripts = [part for script in job.name.split(",") for part in ("-f", script.strip())]
    serial = ["-c", f"adapter serial {job.probe}"] if job.probe else []
    return ["openocd", *scripts, *serial, "-c", f"program {{{job.file('.elf', '.hex')}}} verify reset exit"]


PROGRAM = Program("openocd", command)
