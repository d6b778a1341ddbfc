"""The file of budgets: a table for each model. Unknown keys are refused, with the nearest known one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from edgeternary.boards import load_board
from edgeternary.cores import core as find_core
from edgeternary.errors import EdgeTernaryError, nearest
from edgeternary.hdl.devices import family

FILE = "edgeternary.toml"
Count = Annotated[int, msgspec.Meta(ge=1)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
OF_C, OF_HARDWARE = ("max_flash", "max_ram"), ("max_luts", "fps")
LIMITS = ("max_cycles", *OF_C, "max_luts")


class Exact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """on: executors that are compared with numpy; samples: the first ones of the inputs."""

    on: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    samples: Count = 20


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one model may take.

    file          a model file, seen from the folder of the table, or zoo:NAME
    core, board, device   what it is compiled for: one of them, or none for accuracy and exactness alone
    optimize, compiler, opt_level, fps   as the options of compile
    inputs        a file of codes and labels; without, as `simulate` takes them
    max_cycles    of an inference; max_flash, max_ram in bytes; max_luts after synthesis
    min_accuracy  in percent, of 1,000 labelled samples or more
    exact         executors that have to answer with the bits of numpy
    """

    file: str
    core: str = ""
    board: str = ""
    device: str = ""
    optimize: Literal["cycles", "flash", "ram"] = "cycles"
    compiler: Literal["auto", "zig", "gcc", "clang"] = "auto"
    opt_level: Literal["0", "1", "2", "3", "s", "z"] = "2"
    fps: Annotated[float, msgspec.Meta(gt=0)] | None = None
    inputs: str = ""
    max_cycles: Count | None = None
    max_flash: Count | None = None
    max_ram: Count | None = None
    max_luts: Count | None = None
    min_accuracy: Percent | None = None
    exact: Exact | None = None

    @property
    def target(self) -> str:
        return self.core or self.board or self.device

    @property
    def limits(self) -> dict[str, int]:
        """{max_...: the most}, those that are set."""
        found = {key: getattr(self, key) for key in LIMITS}
        return {key: most for key, most in found.items() if most is not None}

    @property
    def hardware(self) -> bool:
        """Whether it is compiled for an FPGA."""
        return bool(self.device) or (bool(self.board) and load_board(self.board).fpga is not None)


def read(path: Path) -> dict[str, Budget]:
    """The budget of each model by its name. EdgeTernaryError names table, key and remedy."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise EdgeTernaryError(
            f"cannot read {path}", why, "write it; docs/cli.md, section Budgets, has an example"
        ) from error
    except (ValueError, RecursionError) as error:  # of tomllib, and of the encoding
        raise EdgeTernaryError(f"{path} is not TOML", str(error), "correct it") from error
    tables = content.pop("model", None)
    if content or not isinstance(tables, dict) or not tables:
        what = f"unknown key {next(iter(content))!r}" if content else "no model"
        raise EdgeTernaryError(f"{path}: {what}", "it holds a table [model.NAME] for each model", "write one")
    return {name: _budget(f"{path}: [model.{name}]", table) for name, table in tables.items()}


def _budget(where: str, table: Any) -> Budget:
    try:
        found = msgspec.convert(table, Budget)
    except msgspec.ValidationError as error:
        raise _explained(where, str(error)) from error
    try:
        _check(found)
    except EdgeTernaryError as error:
        raise EdgeTernaryError(f"{where}: {error.what}", error.why, error.remedy) from error
    return found


def _explained(where: str, text: str) -> EdgeTernaryError:
    """msgspec's message in this project's form."""
    what, _, place = text.partition(" - at `$")
    key = place.strip("`.")
    unknown = re.search(r"unknown field `(.*)`", what)
    if unknown:
        inside = f"{key}." if key else ""
        known = (Exact if key == "exact" else Budget).__struct_fields__
        return EdgeTernaryError(
            f"{where}: unknown key {inside + unknown[1]!r}",
            f"known are {', '.join(known)}",
            nearest(unknown[1], known, "leave it out"),
        )
    missing = re.search(r"required field `(.*)`", what)
    if missing:
        return EdgeTernaryError(f"{where}: {missing[1]} is missing", "", f"add {missing[1]} = ...")
    return EdgeTernaryError(f"{where}: bad {key or 'table'}", what, f"correct {key or 'it'}")


def _check(budget: Budget) -> None:
    """What types alone do not say."""
    named = [key for key in ("core", "board", "device") if getattr(budget, key)]
    if len(named) > 1:
        raise EdgeTernaryError(f"{' and '.join(named)}", "a model is for one target", "leave one of them out")
    if budget.core:
        find_core(budget.core)
    if budget.device:
        family(budget.device)
    if budget.limits and not named:
        raise EdgeTernaryError(
            f"{next(iter(budget.limits))} without a target", "it is measured on one", 'add core = "m4"'
        )
    if budget.limits and budget.core and find_core(budget.core).native:
        key = next(iter(budget.limits))
        raise EdgeTernaryError(
            f"{key} of core host", "code for this machine is not measured", f"leave {key} out"
        )
    for key in OF_C if budget.hardware else OF_HARDWARE:
        if getattr(budget, key) is not None:
            why = f"{budget.target or 'nothing'} is {'an' if budget.hardware else 'no'} FPGA"
            raise EdgeTernaryError(f"{key} has no effect", why, "leave it out")
    if budget.exact and "numpy" in budget.exact.on:
        why = "numpy is what the others are compared with"
        raise EdgeTernaryError("exact.on has numpy", why, "leave it out")
    if not budget.limits and budget.min_accuracy is None and budget.exact is None:
        raise EdgeTernaryError(
            "there is nothing to check",
            "it has no budget",
            "add max_cycles, max_flash, max_ram, max_luts, min_accuracy or exact",
        )
