"""Which options of `compile` say something about which target: those that do not are refused, not ignored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from edgeternary.cores import HOST
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.boards import Board


@dataclass(frozen=True)
class Target:
    """What is compiled for.

    name      as it was given
    hardware  an FPGA, not a processor
    part      one FPGA, whose size and clock are known; not a family
    board     on a board, whose clock is fixed
    placed    open tools place and route it
    build     whether it is built
    limited   whether limits of flash, RAM or cycles may have it built and measured
    """

    name: str
    hardware: bool
    part: bool
    board: bool
    placed: bool
    build: bool
    limited: bool = False

    @staticmethod
    def of(
        core: str | None, device: str | None, board: Board | None, build: bool, limited: bool = False
    ) -> Target:
        """EdgeTernaryError: code 2 for an unknown device, 3 where what plans hardware is not installed."""
        name = board.name if board else core or device or ""
        chosen = board.fpga.device if board and board.fpga else device
        if not chosen:
            hardware, limited = board is not None and board.fpga is not None, limited or board is not None
            return Target(
                name, hardware, False, board is not None, False, build, limited and core != HOST.name
            )
        from edgeternary.toolchains import require

        require("amaranth")
        from edgeternary.hdl.devices import PARTS, family

        family(chosen)
        part = PARTS.get(chosen)
        return Target(name, True, part is not None, board is not None, bool(part and part.place), build)


@dataclass(frozen=True)
class Rule:
    """When options are of use, and what to say where they are not: `why` may name the {target}."""

    used: Callable[[Target], bool]
    why: str
    remedy: str


ALWAYS = Rule(lambda target: True, "", "")
KERNELS = Rule(
    lambda t: not t.hardware, "{target} is an FPGA, and it is about the choice of C kernels", "leave it out"
)
COMPILED = Rule(
    lambda t: not t.hardware and (t.build or t.limited),
    "no C is compiled for {target} here",
    "--build for a core or a board with one",
)
HARDWARE = Rule(lambda t: t.hardware, "{target} is no FPGA", "--device up5k")
SIZED = Rule(lambda t: t.part, "{target} is no FPGA whose size and clock are known", "--device up5k")
CLOCKED = Rule(
    lambda t: t.part and not t.board,
    "{target} is no FPGA whose clock can be chosen: that of a board is fixed",
    "--device up5k",
)
PINNED = Rule(
    lambda t: t.part and not t.board,
    "{target} is no FPGA whose pins could limit a core inside a larger design: on a board the network is the "
    "whole design",
    "--device up5k",
)
PLACED = Rule(
    lambda t: t.placed and t.build,
    "{target} is not placed and routed here",
    "--build for one FPGA, such as up5k",
)

RULES = {
    "model": ALWAYS, "core": ALWAYS, "device": ALWAYS, "board": ALWAYS, "output": ALWAYS, "build": ALWAYS,
    "report": ALWAYS, "from_layer": ALWAYS, "argmax": ALWAYS, "sound": ALWAYS, "as_json": ALWAYS,
    "debug": ALWAYS,
    "compiler": COMPILED, "opt_level": COMPILED,
    "optimize": KERNELS, "max_flash": KERNELS, "max_ram": KERNELS, "max_cycles": KERNELS,
    "fps": SIZED, "max_luts": SIZED, "maximize": SIZED, "clock": CLOCKED, "latency": HARDWARE,
    "embedded": PINNED,
    "seeds": PLACED, "yosys": HARDWARE,
}  # fmt: skip


def refuse_on_export(
    context: click.Context, target: str, device: str | None, *, hardware: bool, c: bool
) -> None:
    """EdgeTernaryError (code 2) for the first option of `export` that says nothing about this format."""

    def given(name: str) -> bool:
        return context.get_parameter_source(name) is not ParameterSource.DEFAULT

    def refused(name: str, why: str, remedy: str) -> EdgeTernaryError:
        option = next(p.opts[0] for p in context.command.params if p.name == name)
        return EdgeTernaryError(f"{option} has no effect on --to {target}", why, remedy, USAGE)

    planned = ("fps", "maximize", "max_luts", "clock", "latency", "embedded")
    for name in filter(given, ("device", *planned)):
        if not hardware:
            raise refused(name, f"{target} holds no hardware", "--to verilog, or leave it out")
    if given("core") and (hardware or not c):
        raise refused("core", "it chooses C kernels, and here are none", "leave it out")
    for name in filter(given, ("path", "samples")):
        if target == "c" or not (hardware or c):
            raise refused(name, "there are no vectors in it", "leave it out")
    if not hardware:
        return
    chosen = (
        Target.of(None, device, None, False)
        if device
        else Target("no device", True, False, False, False, False)
    )
    for name in filter(given, planned):
        if name != "clock" and not RULES[name].used(chosen):
            raise refused(name, RULES[name].why.format(target=chosen.name), RULES[name].remedy)


def refuse_unused(context: click.Context, target: Target) -> None:
    """EdgeTernaryError (code 2) for the first option that was given and has no effect on the target."""
    for option in context.command.params:
        name = str(option.name)
        rule = RULES.get(name, ALWAYS)  # of an option that compile lacks
        if context.get_parameter_source(name) is ParameterSource.DEFAULT or rule.used(target):
            continue
        raise EdgeTernaryError(
            f"{option.opts[0]} has no effect on {target.name}",
            rule.why.format(target=target.name),
            rule.remedy,
            USAGE,
        )
