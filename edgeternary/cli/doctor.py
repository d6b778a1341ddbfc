"""edgeternary doctor: which tools were found where, what needs them, how to install them."""

import platform
import shlex
import sys
from typing import Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json, stopwatch
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.version import __version__

WARMED = ("numpy", "host", "cortex-m0plus", "cortex-m4", "hdl", "cxxrtl")


@verb()
@click.option("--fix", is_flag=True, help="Install what is missing, after a question.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option("--warm", is_flag=True, help="Try every executor of the demo; fill their caches.")
@json_option
def command(fix: bool, yes: bool, warm: bool, as_json: bool) -> None:
    """List the tools: where each was found, and how to install the rest.

    Nothing has to be there: every tool says what needs it.

    \b
    Example:
      edgeternary doctor --fix
    """
    from edgeternary.report.tables import print_table
    from edgeternary.toolchains import CATALOG, all_tools
    from edgeternary.toolchains.install import commands

    if yes and not fix:
        raise EdgeTernaryError("--yes has no effect", "it belongs to --fix", "add --fix", USAGE)
    if warm:
        warm_up()
        return
    rows: list[dict[str, Any]] = [
        {
            "tool": tool.name,
            "found": tool.found,
            "version": tool.version or None,
            "where": tool.where or None,
            "needed_by": tool.needed_by,
            "install": tool.install,
        }
        for tool in all_tools()
    ]
    found, by_hand = commands(CATALOG[row["tool"]] for row in rows if not row["found"])
    if fix:
        _fix(found, by_hand, yes)
        return
    ports, probes = _plugged_in()
    if as_json:
        versions = {"edgeternary": __version__, "python": platform.python_version()}
        print_json({**versions, "tools": rows, "fix": found, "ports": ports, "probes": probes})
        return
    click.echo(f"edgeternary {__version__}, Python {platform.python_version()}, {platform.platform()}")
    print_table([r for r in rows if r["found"]], ("tool", "version", "where", "needed_by"), title="found")
    missing = [row for row in rows if not row["found"]]
    if missing:
        print_table(missing, ("tool", "needed_by", "install"), title="\nnot found")
    if found:
        click.echo(f"\nall that can be installed (edgeternary doctor --fix does it):\n{_line(found)}")
    if ports:
        print_table(ports, ("port", "about", "usb"), title="\nserial ports")
    if probes:
        print_table(probes, ("probe", "about", "tool"), title="\ndebug probes")
    if not ports and not probes:
        click.echo("\nno serial port and no debug probe is plugged in")


def _line(found: list[list[str]]) -> str:
    return " && ".join(map(shlex.join, found))


def _fix(found: list[list[str]], by_hand: list[str], yes: bool) -> None:
    """Run the commands that install what is missing, and say what is still missing then."""
    from edgeternary.toolchains.install import install, still_missing

    if not found:
        note("nothing is missing that can be installed from here")
    else:
        click.echo(_line(found))
        if not yes and not sys.stdin.isatty():
            raise EdgeTernaryError("--fix asks first", "there is no terminal", "add --yes", USAGE)
        if not yes and not click.confirm("Run this?", err=True):
            return
        install(found)
    left = [spec.name for spec in still_missing()]
    if left:
        note(f"still missing: {', '.join(left)}" + (f"; by hand: {', '.join(by_hand)}" if by_hand else ""))


def _plugged_in() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Serial ports and debug probes that are seen now, as far as the libraries for it are here."""
    from edgeternary.flash import probes
    from edgeternary.link.ports import port_names
    from edgeternary.toolchains import find

    return port_names() if find("pyserial").found else [], probes()


def warm_up() -> None:
    """Run a tiny model on the executors of the demo: first runs compile WebAssembly, libc and libc++."""
    import numpy as np

    from edgeternary.report.tiny import tiny_graph
    from edgeternary.run.compare import compare, not_bit_exact

    graph = tiny_graph()
    inputs = np.random.default_rng(0).integers(0, 256, (4, *graph.input.shape), dtype=np.int32)
    note("Trying every executor of the demo on a tiny model. The first time, this compiles yosys from")
    note("WebAssembly, and the C and C++ libraries for each target: a minute or two.")
    for executor in WARMED:
        click.echo(f"  {executor:14}", err=True, nl=False)
        sys.stderr.flush()
        with stopwatch() as seconds:
            try:
                (comparison,) = compare(graph, inputs, [executor])
            except BaseException:
                note("failed")
                raise
        if comparison.mismatches:
            note("NOT bit-exact")
            raise not_bit_exact(graph, comparison)
        note(f"bit-exact  {seconds():6.1f} s")
    build_demo()


def build_demo() -> None:
    """Compile the demo's programs and simulators; they are kept for the runs to come."""
    from edgeternary.report.demo import builds, run_demo

    note("Building the demo's programs and simulators, in two processes: a minute, once.")
    for row in run_demo(builds()):
        note(f"  {row['model']} {row['executor']}: {row['seconds']:.1f} s")
