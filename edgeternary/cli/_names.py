"""Names on the command line: cores, whose short forms are taken too, and what a shell completes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from edgeternary.cores import CORES, CORTEX_M, Core, core, cortex_m, full_name

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[str]]"]
ZOO = "zoo:"
DESIGNED = ("hdl", "cxxrtl", "verilator", "netlist", "bitstream")  # executors of a design for a device


def short(cores: Iterable[str] = CORES) -> str:
    """Names of cores as help lists them: m4 for cortex-m4."""
    return ", ".join(name.removeprefix("cortex-") for name in cores)


class CoreName(click.ParamType):
    """A core: cortex-m4, or m4. `native`: this machine, too."""

    name = "core"

    def __init__(self, native: bool = True) -> None:
        self.find: Callable[[str], Core] = core if native else cortex_m
        self.known = CORES if native else CORTEX_M

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The full name; EdgeTernaryError (code 2) for an unknown one."""
        return self.find(str(value)).name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        names = [*short(self.known).split(", "), *self.known]
        return [CompletionItem(name) for name in completions(names, incomplete)]


class CoreNames(CoreName):
    """Several of them, with commas: a tuple."""

    name = "cores"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        words = value if isinstance(value, tuple) else listed(value)
        return tuple(dict.fromkeys(self.find(word).name for word in words))


class ExecutorName(click.ParamType):
    """An executor; m4 means cortex-m4."""

    name = "executor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return full_name(str(value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        return [CompletionItem(name) for name in completions(_executors(incomplete), incomplete)]


class ExecutorNames(ExecutorName):
    """Several of them, with commas: a tuple."""

    name = "executors"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        words = value if isinstance(value, tuple) else listed(value)
        return tuple(dict.fromkeys(super(ExecutorNames, self).convert(word, param, ctx) for word in words))


def listed(text: str | None) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, (text or "").split(",")))))


def completions(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that go on with the last word of a list with commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in dict.fromkeys(names) if name.startswith(last)]


def completes(known: Callable[[str], Iterable[str]]) -> Complete:
    """Completes with the names that `known` gives for the incomplete word; with none where it fails."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        try:
            return [CompletionItem(name) for name in completions(known(incomplete), incomplete)]
        except Exception:  # a shell that completes shows no error
            return []

    return complete


def _boards(_: str) -> Iterable[str]:
    from edgeternary.boards import load_all

    return load_all()


def _devices(_: str) -> Iterable[str]:
    from edgeternary.hdl.devices import DEVICES

    return DEVICES


def _executors(incomplete: str) -> Iterable[str]:
    """Executors; those with a device or a board once there is a colon."""
    from edgeternary.boards import load_all
    from edgeternary.run import executors

    if ":" not in incomplete.rpartition(",")[2]:
        return [*(name for name in executors() if name != "cortex-m"), *CORTEX_M]
    emulated = [name for name, board in load_all().items() if board.emulator and board.emulator.qemu]
    return [*(f"{name}:{device}" for name in DESIGNED for device in _devices("")),
            *(f"qemu:{board}" for board in emulated)]  # fmt: skip


def _zoo(incomplete: str) -> Iterable[str]:
    from edgeternary.zoo import names

    return [f"{ZOO}{name}" for name in names()] if incomplete else []


def _zoo_names(_: str) -> Iterable[str]:
    from edgeternary.zoo import names

    return [*names(), *(f"{ZOO}{name}" for name in names())]


def complete_model(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Files, and the names of the zoo once its prefix has begun."""
    return [CompletionItem(incomplete, type="file"), *completes(_zoo)(context, parameter, incomplete)]


complete_board, complete_device = completes(_boards), completes(_devices)
complete_zoo = completes(_zoo_names)
