"""Samples shared among processes: the answer is that of one process, statistics and all."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pytest

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.run import _jobs, run
from edgeternary.run._jobs import shared
from tests.need import need
from tests.registry.graphs import inputs, leaky, tiny_mlp
from tests.run import failing


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.parametrize(
    ("on", "make"), [("numpy", leaky), ("host", tiny_mlp), ("cortex-m4", leaky)], ids=["numpy", "host", "m4"]
)
def test_the_answer_is_that_of_one_process(on: str, make: object) -> None:
    need("zig|gcc|clang", "zig|arm-none-eabi-gcc", "unicorn", "capstone")
    assert callable(make)
    graph, told = make(), list[tuple[int, int]]()
    codes = inputs(graph, 21)
    alone = run(graph, codes, on=on)
    options = {"jobs": 2, "progress": lambda done, total: told.append((done, total))}
    found = run(graph, codes, on=on, options=options)
    np.testing.assert_array_equal(found.outputs, alone.outputs)
    assert (found.stats, found.layers) == (alone.stats, alone.layers)
    assert told[-1] == (21, 21) and len(told) == 8 and told == sorted(told)


def test_executors_that_take_all_samples_at_once_have_one_job() -> None:
    from edgeternary.run import host, onnxruntime

    assert (shared(host, {"jobs": 3}), shared(host, {}), shared(onnxruntime, {"jobs": 3})) == (3, 1, 1)


def test_the_error_of_a_worker_is_told() -> None:
    graph = tiny_mlp()
    codes = np.concatenate([inputs(graph, 1), np.zeros((15, *graph.input.shape), np.int32)])
    with pytest.raises(EdgeTernaryError, match="a worker's error") as told:
        _jobs.run(failing, graph, codes, "", 2, {})
    assert told.value.code == NOT_BIT_EXACT
    assert not multiprocessing.active_children()


def test_an_interrupt_ends_all_workers() -> None:
    graph = tiny_mlp()

    def progress(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(graph, inputs(graph, 40), on="numpy", options={"jobs": 2, "progress": progress})
    # One that still starts, on a busy machine, ends after that. A thread of the pool waits for them too, and
    # a process that it has just waited for is not known as ended for a moment.
    end = time.monotonic() + 120
    while multiprocessing.active_children() and time.monotonic() < end:
        time.sleep(0.01)
    assert not multiprocessing.active_children()
