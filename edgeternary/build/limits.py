"""Limits of flash, RAM and cycles: where they come from, and what is said when a model does not keep them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edgeternary.boards import Board
from edgeternary.c.plan import Plan, Step
from edgeternary.c.select import Budget
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError


class Fastest(Protocol):
    """The fastest plan with its figures, see build.judged.Judged."""

    @property
    def plan(self) -> Plan: ...
    @property
    def flash(self) -> int: ...
    @property
    def ram(self) -> int: ...
    @property
    def cycles(self) -> float: ...


@dataclass(frozen=True)
class Limit:
    """The most of something, and who says so: "Raspberry Pi Pico has", "--max-ram allows"."""

    most: int
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.said} {self.most:,}"


@dataclass(frozen=True)
class Limits:
    """Limits of one build; None is none."""

    flash: Limit | None = None
    ram: Limit | None = None
    cycles: Limit | None = None

    @staticmethod
    def of(board: Board | None, flash: int | None, ram: int | None, cycles: int | None) -> Limits:
        """The stricter one of what the board has and what was asked for."""
        has: dict[str, int] = {}
        if board is not None:
            flash_there, ram_there = board.memory()
            has = {"flash": flash_there.bytes, "ram": ram_there.bytes}

        def one(what: str, asked: int | None) -> Limit | None:
            if asked is not None and asked <= has.get(what, asked):
                return Limit(asked, f"--max-{what} allows")
            if what in has:
                assert board is not None
                named = "RAM" if what == "ram" else what
                return Limit(
                    has[what],
                    f"{board.title} has",
                    f"a board with more {named}: edgeternary boards --min-{what} ",
                )
            return None

        return Limits(one("flash", flash), one("ram", ram), one("cycles", cycles))

    def named(self) -> dict[str, Limit]:
        """{flash, ram, cycles: the limit}, where there is one."""
        found = {"flash": self.flash, "ram": self.ram, "cycles": self.cycles}
        return {what: limit for what, limit in found.items() if limit is not None}

    def budget(self) -> Budget:
        """For the selection."""
        return Budget(*(limit.most if limit else None for limit in (self.cycles, self.flash, self.ram)))


def check(plan: Plan, flash: int, ram: int, cycles: float | None, limits: Limits) -> None:
    """Refuse figures beyond the limits, with the layer that needs most and what would help."""
    if limits.ram and ram > limits.ram.most:
        raise _too_much_ram(plan, ram, limits.ram)
    if limits.flash and flash > limits.flash.most:
        raise _too_much_flash(plan, flash, limits.flash)
    if limits.cycles and cycles is not None and cycles > limits.cycles.most:
        raise _too_slow(plan, cycles, limits.cycles)


def beyond(plan: Plan, figure: float, what: str, limits: Limits) -> EdgeTernaryError:
    """The refusal of `figure` bytes of flash or ram, or cycles."""
    figures = {"flash": 0, "ram": 0, "cycles": 0.0, what: figure}
    try:
        check(plan, int(figures["flash"]), int(figures["ram"]), figures["cycles"], limits)
    except EdgeTernaryError as error:
        return error
    raise AssertionError(f"{figure} {what} are not beyond a limit")


def refused(
    plan: Plan, limits: Limits, why: EdgeTernaryError, flash: int = 0, ram: int = 0
) -> EdgeTernaryError:
    """The refusal of an image that is too large, with the layer that needs most; else `why` itself."""
    try:
        check(plan, flash, ram, None, limits)
    except EdgeTernaryError as error:
        return error
    return why


def together(fastest: Fastest, needs: Mapping[str, float]) -> EdgeTernaryError:
    """Several limits that no plan keeps together. needs: what one of them would have to be for a plan."""
    plan = fastest.plan
    layer = max(plan.calls, key=lambda step: step.offer.cost.flash)
    return EdgeTernaryError(
        f"{layer.layer} does not fit: no plan of {plan.graph.name} keeps all limits together",
        f"the fastest takes {fastest.cycles:,.0f} cycles, {fastest.flash:,} bytes of flash,"
        f" {fastest.ram:,} of RAM; most of the flash is for {layer.layer} with kernel {layer.kernel.name}",
        " or ".join(f"--max-{what} {_limit(what, need)}" for what, need in needs.items())
        or "raise the limits",
        DOES_NOT_FIT,
    )


def _limit(what: str, need: float) -> str:
    """What a limit would have to be, as the command line takes it."""
    return f"{math.ceil(need / 1000)}k" if what == "cycles" else _k(math.ceil(need))


def _too_much_ram(plan: Plan, ram: int, limit: Limit) -> EdgeTernaryError:
    peak = max(plan.calls, key=_working_set)
    buffers = {buffer for step in plan.calls for buffer in (*step.ins, step.out)}
    largest = max(buffers, key=lambda buffer: (buffer.bytes, buffer.value.name))
    name, shape = largest.value.name, "x".join(map(str, largest.value.shape))
    given = {x.name for x in plan.graph.inputs}
    source = "the input" if len(given) == 1 else f"input {name}"
    tensor = source if name in given else f"the output of {name}"
    return EdgeTernaryError(
        f"{peak.layer} does not fit: needs {ram:,} bytes of RAM, {limit}",
        f"the largest tensor is {tensor} ({shape}, {largest.bytes:,} bytes)",
        _help(limit, ram, f"--max-ram {_k(ram)}, or fewer channels or pixels in {peak.layer}"),
        DOES_NOT_FIT,
    )


def _too_much_flash(plan: Plan, flash: int, limit: Limit) -> EdgeTernaryError:
    layer = max(plan.calls, key=lambda step: step.offer.cost.flash)
    return EdgeTernaryError(
        f"{layer.layer} does not fit: {plan.graph.name} needs {flash:,} bytes of flash, {limit}",
        f"the largest layer is {layer.layer} ({layer.offer.cost.flash:,} bytes, kernel {layer.kernel.name})",
        _help(limit, flash, f"--max-flash {_k(flash)}, or fewer weights in {layer.layer}"),
        DOES_NOT_FIT,
    )


def _too_slow(plan: Plan, cycles: float, limit: Limit) -> EdgeTernaryError:
    layer = max(plan.calls, key=lambda step: step.offer.cost.cycles)
    share = layer.offer.cost.cycles / max(plan.cycles, 1)
    return EdgeTernaryError(
        f"{layer.layer} is too slow: {plan.graph.name} needs {cycles:,.0f} cycles, {limit}",
        f"{layer.layer} takes {share:.0%} of them with kernel {layer.kernel.name}",
        f"fewer channels or pixels in {layer.layer}, fewer bits, more flash, or a faster core",
        DOES_NOT_FIT,
    )


def _help(limit: Limit, needed: int, otherwise: str) -> str:
    return f"{limit.remedy}{_k(needed)}" if limit.remedy else otherwise


def _working_set(step: Step) -> int:
    """Bytes that a step reads, writes and scratches on."""
    return step.offer.scratch + sum(buffer.bytes for buffer in {*step.ins, step.out})


def _k(size: int) -> str:
    return f"{-(-size // 1024)}k"
