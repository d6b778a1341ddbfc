"""What a plan takes, as its limits are judged: built and run, or estimated where that is far from a limit.

Estimates are made before anything is compiled, and compilers differ: over the models of the zoo a built model
has between 0.85 and 2.6 times the flash that is estimated. So what comes near a limit is built.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from edgeternary.boards import Board
from edgeternary.build import board_image
from edgeternary.build.image import Image, Overflow
from edgeternary.build.limits import Limits, check, refused
from edgeternary.build.settings import Settings
from edgeternary.c.plan import Plan
from edgeternary.c.select import Budget
from edgeternary.cores import core as find_core
from edgeternary.errors import DOES_NOT_FIT, TOOL_MISSING, EdgeTernaryError

FACTOR, ROOM = 3, 4096  # an estimate with this factor and these bytes on top of it is not exceeded


@dataclass(frozen=True)
class Judged:
    """A plan and its figures.

    flash, ram, cycles  of the built model as far as it was measured, else estimates
    measured  the words of the executor; empty where nothing was measured
    layers    what it counted, one row a step
    why       which figures that are near a limit are estimates all the same, and why
    beyond    {flash, ram or cycles: by how much it exceeds its limit}
    refusal   says so; None where all limits are kept
    """

    plan: Plan
    flash: int
    ram: int
    cycles: float
    measured: dict[str, Any] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    image: Image | None = None
    why: str = ""
    beyond: dict[str, float] = field(default_factory=dict)
    refusal: EdgeTernaryError | None = None

    def figure(self, what: str) -> float:
        return {"flash": self.flash, "ram": self.ram, "cycles": self.cycles}[what]

    def tighter(self, budget: Budget) -> Budget:
        """A budget of estimates that a plan should keep which takes that much less than this one.

        Code grows with the estimate, stack and a board's own code come on top of it.
        """
        plan, kept = self.plan, budget
        if "flash" in self.beyond:
            share = 1 - self.beyond["flash"] / self.flash
            kept = replace(kept, flash=min(int(plan.flash_bytes * share), plan.flash_bytes - 1))
        if "ram" in self.beyond:
            kept = replace(kept, ram=plan.ram_bytes - max(int(self.beyond["ram"]), 1))
        if "cycles" in self.beyond:
            share = 1 - self.beyond["cycles"] / self.cycles
            kept = replace(kept, cycles=plan.cycles * min(share, 0.99))
        return kept


class Judge:
    """Judges plans for one core or board, each once."""

    def __init__(
        self, core: str, board: Board | None, build: bool, progress: Callable[[str], None],
        settings: Settings, limits: Limits,
    ) -> None:  # fmt: skip
        self._core, self._board, self._progress = core, board, progress
        self._build = build and not find_core(core).native
        self._settings, self._limits = settings, limits
        self._known: dict[int, Judged] = {}
        self._counted: dict[int, list[dict[str, Any]]] = {}

    def __call__(self, plan: Plan) -> Judged:
        if id(plan) not in self._known:
            self._known[id(plan)] = self._judged(plan)
        return self._known[id(plan)]

    def known(self) -> list[Judged]:
        """All that were judged."""
        return list(self._known.values())

    def _judged(self, plan: Plan) -> Judged:
        image, measured, why = None, dict[str, Any](), ""
        if self._build and self._board is not None and self._board.port:
            self._progress(f"linking the image for {self._board.title}")
            try:
                image = board_image.make(plan, self._board, self._settings.compiler, self._settings.opt_level)
            except Overflow as overflow:
                return self._overflown(plan, self._board, overflow)
        if self._build:
            measured = self._run(plan)
        elif near := self._near(plan):
            measured, why = self._found(plan, near)
        flash = int(measured.get("flash_bytes", plan.flash_bytes))
        ram = int(measured.get("ram_bytes", plan.ram_bytes))
        cycles = float(measured.get("cycles") or plan.cycles)
        found = Judged(plan, flash, ram, cycles, measured, self._counted.get(id(plan), []), image, why)
        beyond = {
            what: found.figure(what) - limit.most
            for what, limit in self._limits.named().items()
            if found.figure(what) > limit.most
        }
        try:
            check(plan, flash, ram, cycles, self._limits)
        except EdgeTernaryError as error:
            return replace(found, beyond=beyond, refusal=error)
        return found

    def _overflown(self, plan: Plan, board: Board, overflow: Overflow) -> Judged:
        """The model with everything else in the board's image does not fit."""
        flash, ram = board.memory()
        needed, there = overflow.needed, flash.bytes if overflow.region == "flash" else ram.bytes
        sizes = {"flash": plan.flash_bytes, "ram": plan.ram_bytes, overflow.region: needed}
        refusal = refused(plan, self._limits, overflow, **{overflow.region: needed})
        beyond: dict[str, float] = {overflow.region: needed - there}
        return Judged(plan, sizes["flash"], sizes["ram"], plan.cycles, beyond=beyond, refusal=refusal)

    def _near(self, plan: Plan) -> set[str]:
        """What could exceed its limit, though the estimate may not."""
        most = {what: limit.most for what, limit in self._limits.named().items()}
        near = {"cycles"} & most.keys()
        if FACTOR * plan.flash_bytes + ROOM > most.get("flash", float("inf")):
            near.add("flash")
        if plan.ram_bytes + ROOM > most.get("ram", float("inf")):
            near.add("ram")
        return near

    def _found(self, plan: Plan, near: set[str]) -> tuple[dict[str, Any], str]:
        """What could be measured of `near`, and why the rest of it could not."""
        if find_core(self._core).native:
            return {}, f"{_listed(near)}: code for this machine is not measured"
        try:
            if near == {"flash"}:
                return self._linked(plan), ""
            measured = self._run(plan)
            if "cycles" in near and measured.get("cycles") is None:
                return measured, f"cycles: {measured['timing']}"
            return measured, ""
        except ImportError as error:
            return {}, f"{_listed(near)}: {error}"
        except EdgeTernaryError as error:
            if error.code not in (TOOL_MISSING, DOES_NOT_FIT):
                raise
            rest = near - {"flash"}
            if "flash" in near and rest:
                measured, why = self._found(plan, {"flash"})
                return measured, f"{_listed(near if why else rest)}: {error.what}"
            return {}, f"{_listed(near)}: {error.what}"

    def _linked(self, plan: Plan) -> dict[str, Any]:
        """Flash alone: the model is linked, and need not run."""
        from edgeternary.run.cortex_m import flash_of

        self._progress(f"compiling for {self._core}, to measure flash")
        return flash_of(plan, self._options())

    def _run(self, plan: Plan) -> dict[str, Any]:
        """Figures of one inference on random codes, from the executor of the core."""
        from edgeternary.run.cortex_m import run_plan

        self._progress(f"measuring on an emulated {self._core}")
        codes = board_image.random_codes(plan.graph, 1, seed=0)
        if plan.graph.states:
            codes = codes[:, None]
        found = run_plan(plan, codes, options=self._options())
        self._counted[id(plan)] = [dict(row) for row in found.layers]
        return dict(found.stats)

    def _options(self) -> dict[str, object]:
        settings = self._settings
        options: dict[str, object] = {
            "compiler": settings.compiler, "opt_level": settings.opt_level, "optimize": settings.optimize
        }  # fmt: skip
        return options if self._board is None else {**options, "board": self._board.file}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
