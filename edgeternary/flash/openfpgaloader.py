"""openFPGALoader: writes the flash of an FPGA (its documentation, "First steps" and "Advanced usage")."""

from edgeternary.flash.job import Command, Job, Program


def verifies(job: Job) -> bool:
    """It reads back SPI flash; that inside a Gowin it checks by a sum of its own."""
    return job.build.board.fpga is None or job.build.board.fpga.family != "gowin"


def command(job: Job) -> Command:
    verify = ["--verify"] if verifies(job) else []
    serial = ["--ftdi-serial", job.probe] if job.probe else []
    return ["openFPGALoader", "--board", job.name, *serial, "--write-flash", *verify, job.file()]


PROGRAM = Program("openFPGALoader", command, verified=verifies)
