"""Options that choose among the tools that are installed; shared by the verbs that build something.

`c_options` reach a verb as `tools`: {option: value}.
"""

import click

from edgeternary.cli._record import defaulted, record

COMPILERS = ("auto", "zig", "gcc", "clang")
LEVELS = ("0", "1", "2", "3", "s", "z")
OBJECTIVES = ("cycles", "flash", "ram")
YOSYS = ("auto", "native", "yowasp")

compiler_option = defaulted(
    "--compiler",
    type=click.Choice(COMPILERS),
    default="auto",
    help="The C compiler; auto takes zig if it is installed.",
)
optimize_option = defaulted(
    "--optimize",
    type=click.Choice(OBJECTIVES),
    default="cycles",
    help="What the choice of kernels makes small.",
)
level_option = defaulted("--opt-level", type=click.Choice(LEVELS), default="2", help="The letter after -O.")
flash_wait_option = click.option(
    "--flash-wait",
    metavar="N[:BYTES]",
    help="Wait states for 4 bytes of code, or BYTES.",
)
yosys_option = defaulted(
    "--yosys",
    type=click.Choice(YOSYS),
    default="auto",
    help="Which yosys runs; auto takes the one of pip if it is installed.",
)


c_options = record("tools", dict, optimize_option, compiler_option, level_option)
