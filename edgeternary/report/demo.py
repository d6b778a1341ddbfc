"""The demo: shipped models on every executor, on real images, compared with PyTorch's recorded logits."""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from edgeternary import zoo
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.report.rows import row
from edgeternary.run import run
from edgeternary.run.compare import Comparison, locate, mismatches
from edgeternary.run.result import Result
from edgeternary.toolchains.child import end_with_parent

RECORDED = "torch (recorded)"
SYNTH = "synth"  # a job, not an executor: its figures are put on the rows of HARDWARE
HARDWARE = ("hdl", "cxxrtl")
DEVICE = "ice40"
SYNTH_WORDS = ("luts", "ffs", "ram_blocks", "multipliers", "device", "yosys")
MODELS = ("fashion-mlp", "fashion-cnn")
QUICK, FULL = 0, 1

# executor: samples for QUICK and FULL (0: left out) of each of MODELS; about how many seconds, for the order
PLAN: dict[str, tuple[tuple[int, int], tuple[int, int], float]] = {
    "torch": ((1000, 1000), (1000, 1000), 6),
    "numpy": ((1000, 1000), (1000, 1000), 1),
    "host": ((1000, 1000), (1000, 1000), 2),
    "cortex-m0plus": ((1000, 1000), (1000, 1000), 5),
    "cortex-m3": ((0, 1000), (0, 1000), 4),
    "cortex-m4": ((1000, 1000), (1000, 1000), 4),
    "cortex-m7": ((0, 1000), (0, 1000), 4),
    "cortex-m33": ((0, 1000), (0, 1000), 4),
    "hdl": ((100, 200), (20, 50), 25),
    "cxxrtl": ((1000, 1000), (1000, 1000), 20),
    SYNTH: ((1, 1), (1, 1), 60),
}


@dataclass(frozen=True)
class Job:
    """One executor on the first `samples` images of one model. `seconds`: about how long, for the order."""

    model: str
    executor: str
    samples: int
    seconds: float = 1.0


def jobs(quick: bool, only: str = "") -> list[Job]:
    """The demo's jobs in the order of its rows. `quick`: fewer cores, and fewer samples where it is slow."""
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
        for executor, (*samples, seconds) in PLAN.items():
            count = samples[index][QUICK if quick else FULL]
            if count and only in ("", model):
                name = RECORDED if executor == "torch" and not torch_here else executor
                found.append(Job(model, name, count, seconds))
    return found


def builds() -> list[Job]:
    """The jobs that compile or synthesise, with one sample each: what they build is kept for the demo."""
    built = ("host", "cortex-m0plus", "cortex-m4", "cxxrtl", SYNTH)
    return [Job(model, executor, 1, PLAN[executor][2]) for model in MODELS for executor in built]


def run_demo(
    wanted: Sequence[Job], workers: int = 2, progress: Callable[[Job, int, int], None] | None = None
) -> list[dict[str, Any]]:
    """Run the jobs in `workers` processes, longest first; rows in the order of `wanted`.

    progress  called with (job that is done, jobs done, all jobs)
    An EdgeTernaryError of a job is raised here when the others are done.
    """
    order = sorted(wanted, key=lambda job: -job.seconds)
    answers: dict[Job, dict[str, Any]] = {}
    errors: list[EdgeTernaryError] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=end_with_parent) as pool:
        futures = {pool.submit(run_job, job): job for job in order}
        for done, future in enumerate(as_completed(futures), 1):
            job = futures[future]
            try:
                answers[job] = future.result()
            except EdgeTernaryError as error:
                error.what = f"{job.model} on {job.executor}: {error.what}"
                errors.append(error)
            if progress:
                progress(job, done, len(order))
    if errors:
        raise errors[0]
    return merge_synthesis([answers[job] for job in wanted])


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
        content["difference"] = str(locate(graph, images, int(wrong[0]), executor, expected, found))
    return content


def synthesis(graph: Graph) -> dict[str, Any]:
    """luts, ffs, ram_blocks, multipliers of the whole design after synthesis for DEVICE."""
    from edgeternary.hdl.build import statistics

    return dict(statistics(graph, device=DEVICE))


def merge_synthesis(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures of the synthesis job go to the rows of the executors that run the same design."""
    by_model = {found["model"]: found for found in rows if found["executor"] == SYNTH}
    merged = []
    for content in rows:
        figures = by_model.get(content["model"], {}) if content["executor"] in HARDWARE else {}
        if content["executor"] != SYNTH:
            merged.append({**content, **{key: figures[key] for key in SYNTH_WORDS if key in figures}})
    return merged


def differing(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a mismatch."""
    return [content for content in rows if content["mismatches"]]
