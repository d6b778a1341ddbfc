"""edgeternary report: a model on its target, or a build, as one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edgeternary.cli._hardware import Hardware, hardware_options
from edgeternary.cli._hardware import wanted as wanted_graph
from edgeternary.cli._help import verb
from edgeternary.cli._model import load_model
from edgeternary.cli._names import ZOO, ExecutorNames, complete_model
from edgeternary.cli._output import json_option, note, print_json, progress_bars
from edgeternary.cli._record import defaulted, record, titled
from edgeternary.cli._tools import optimize_option
from edgeternary.cli._used import Target, refuse_unused
from edgeternary.cli.compile import Goal, goal_options
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.build.project import Project

CORE = "cortex-m4"  # where no target is named
OF_FOLDERS = ("model", "output", "against", "measure", "on", "path", "samples", "as_json", "debug")


@dataclass(frozen=True)
class Measure:
    """What is run for the report: nothing without `measure`.

    on  executors; None: those of the target.  path, samples: of the inputs
    """

    measure: bool
    on: tuple[str, ...] | None
    path: Path | None
    samples: int | None


measure_options = record(
    "wanted",
    Measure,
    *titled(
        "Measure",
        click.option("--measure", is_flag=True, help="Run MODEL: cycles, exactness, accuracy."),
        click.option("--on", type=ExecutorNames(), metavar="LIST", help="Executors; default: the target's."),
        click.option("--inputs", "path", type=click.Path(path_type=Path), help="Codes, as for simulate."),
        click.option("--samples", type=click.IntRange(1), help="The first N samples."),
    ),
)


@verb()
@click.argument("model", metavar="MODEL|FOLDER", shell_complete=complete_model)
@defaulted("-o", "--output", type=click.Path(path_type=Path), default=Path("report.html"), help="The page.")
@click.option("--against", metavar="OTHER", help="Compare with this MODEL or FOLDER.")
@goal_options
@measure_options
@hardware_options
@optimize_option
@json_option
def command(
    model: str,
    output: Path,
    against: str | None,
    goal: Goal,
    wanted: Measure,
    hardware: Hardware,
    optimize: str,
    as_json: bool,
) -> None:
    """Write one page about MODEL on a target, or a compiled FOLDER.

    Its numbers are what --json prints. The default core is the m4.

    \b
    Example:
      edgeternary report zoo:fashion-cnn --board pico --measure
      edgeternary report FOLDER --against OTHER -o difference.html
    """
    from edgeternary.build.files import check_writable, write_file
    from edgeternary.report.html.against import against as compared
    from edgeternary.report.html.page import page
    from edgeternary.report.html.pages import checked

    _refuse(model, wanted)
    if not as_json:
        check_writable(output)
    found = _document(model, goal, wanted, hardware, optimize)
    if against is not None:
        other = _document(against, _same(found, goal), wanted, hardware, optimize)
        found = {**found, "against": compared(found, other)}
    if as_json:
        print_json(found)
    else:
        folder = Path(model).is_dir() or bool(against and Path(against).is_dir())
        write_file(output, checked(found, model) if folder else page(found))
        note(f"wrote {output}")
    wrong = [row["executor"] for row in found["exactness"] if row["mismatches"]]
    if wrong:
        raise EdgeTernaryError(
            f"not bit-exact: {', '.join(wrong)}",
            "samples differ from numpy",
            "edgeternary simulate MODEL --compare names the first layer that differs",
            NOT_BIT_EXACT,
        )


def _refuse(model: str, wanted: Measure) -> None:
    """EdgeTernaryError (code 2) for options that say nothing here."""
    context = click.get_current_context()
    for option in context.command.params if Path(model).is_dir() else ():
        name = str(option.name)
        if name not in OF_FOLDERS and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise EdgeTernaryError(
                f"{option.opts[0]} has no effect on a folder",
                "it says itself what it was compiled for",
                "name the model in place of the folder",
                USAGE,
            )
    if not wanted.measure and (wanted.on or wanted.path or wanted.samples):
        raise EdgeTernaryError(
            "--on, --inputs and --samples have no effect", "nothing is run", "add --measure", USAGE
        )


def _document(model: str, goal: Goal, wanted: Measure, hardware: Hardware, optimize: str) -> dict[str, Any]:
    from edgeternary.report.html.document import document
    from edgeternary.report.html.pages import read

    if not Path(model).is_dir():
        project = _planned(model, goal, hardware, optimize)
        found = document(project)
        return _measured(found, project, model, wanted, hardware) if wanted.measure else found
    found = read(Path(model))
    return _measured(found, _as_built(Path(model), found), model, wanted) if wanted.measure else found


def _as_built(folder: Path, found: dict[str, Any]) -> Project:
    """The folder's model, planned again; EdgeTernaryError (code 4) where the report shows another plan."""
    from edgeternary.build.again import planned
    from edgeternary.report.html.document import document

    project = planned(folder, lambda text: note(f"{text} ..."))
    now, words = document(project, 0), ("name", "kernel", "layout")
    steps = [[[row.get(word) for word in words] for row in one["steps"]] for one in (found, now)]
    if now["model"]["digest"] != found["model"]["digest"] or steps[0] != steps[1]:
        raise EdgeTernaryError(
            f"the report in {folder} shows something else than its model gives",
            "the model or its plan differs",
            "edgeternary verify-build names what differs",
            NOT_BIT_EXACT,
        )
    return project


def _planned(model: str, goal: Goal, hardware: Hardware, optimize: str) -> Project:
    from edgeternary.boards import load_board
    from edgeternary.build.project import compile

    named = goal if any(vars(goal).values()) else Goal(CORE, None, None)
    _ = named.name
    board = load_board(named.board) if named.board else None
    refuse_unused(click.get_current_context(), Target.of(named.core, named.device, board, False))
    return compile(
        wanted_graph(load_model(model), hardware),
        core=named.core or "",
        device=named.device or "",
        board=named.board or "",
        optimize=optimize,
        hardware=hardware.constraints(),
        progress=lambda text: note(f"{text} ..."),
    )


def _measured(
    found: dict[str, Any], project: Project, model: str, wanted: Measure, hardware: Hardware | None = None
) -> dict[str, Any]:
    from edgeternary.cli._hardware import cut
    from edgeternary.cli._inputs import choose_inputs
    from edgeternary.report.html.accuracy import shipped
    from edgeternary.report.html.measure import Samples, measured

    whole = project.model
    assert whole is not None
    asked = hardware or Hardware()
    if asked.from_layer or asked.argmax:
        whole = load_model(model)
    source = f"{ZOO}{whole.name}" if shipped(whole) else model
    inputs, labels = choose_inputs(whole, source, wanted.path, wanted.samples)
    _, inputs = cut(whole, inputs, asked)
    executors = wanted.on or _executors(project)
    options = Hardware.of(project.options.hardware).options(executors)
    with progress_bars() as progress:
        return measured(found, project, Samples(inputs, labels), executors, options, progress)


def _executors(project: Project) -> tuple[str, ...]:
    """The host and the core of C; the simulated design of an FPGA."""
    if project.plan:
        return tuple(dict.fromkeys(["host", project.plan.core.name]))
    fpga = project.on.fpga if project.on else None
    return (f"cxxrtl:{fpga.device if fpga else project.options.device}",)


def _same(found: dict[str, Any], goal: Goal) -> Goal:
    """The target of a report, for a model that is compared with it."""
    if any(vars(goal).values()):
        return goal
    target = found["target"]
    if target["board"]:
        return Goal(None, None, target["name"])
    return Goal(target["name"], None, None) if target["kind"] == "c" else Goal(None, target["name"], None)
