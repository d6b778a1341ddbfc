"""Options that choose among the tools that are installed; shared by the verbs that build something.

`c_options` reach a verb as `tools`: {option: value}.
"""

import click

from edgeternary.cli._record import defaulted, record, titled
from edgeternary.cli._sizes import Count, Size

COMPILERS = ("auto", "zig", "gcc", "clang")
LEVELS = ("0", "1", "2", "3", "s", "z")
OBJECTIVES = ("cycles", "flash", "ram")
YOSYS = ("auto", "native", "yowasp")

optimize_option = defaulted(
    "--optimize",
    type=click.Choice(OBJECTIVES),
    metavar="GOAL",
    default="cycles",
    help="What is made small: cycles, flash or ram.",
)
compiler_option, level_option, flash_wait_option, yosys_option = titled(
    "Tools",
    defaulted(
        "--compiler",
        type=click.Choice(COMPILERS),
        metavar="NAME",
        default="auto",
        help="C compiler: zig, gcc or clang.",
    ),
    defaulted(
        "--opt-level",
        type=click.Choice(LEVELS),
        metavar="LEVEL",
        default="2",
        help="The letter after -O: 0, 1, 2, 3, s or z.",
    ),
    click.option("--flash-wait", metavar="N[:BYTES]", help="Wait states for 4 bytes of code, or BYTES."),
    defaulted(
        "--yosys",
        type=click.Choice(YOSYS),
        metavar="NAME",
        default="auto",
        help="Which yosys: native, yowasp (of pip), auto.",
    ),
)
limit_options = (
    click.option("--max-flash", type=Size(), help="C: at most this many bytes of flash, as 64k."),
    click.option("--max-ram", type=Size(), help="C: at most this many bytes of RAM."),
    click.option("--max-cycles", type=Count(), help="C: at most this many cycles an inference, as 2M."),
)
c_options = record("tools", dict, optimize_option, compiler_option, level_option)
