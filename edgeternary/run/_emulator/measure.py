"""Running a linked model on an emulated core: answers and taps of all samples, counts of the first few."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice

import numpy as np

from edgeternary.cores import cortex_m as find_core
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.ports import split
from edgeternary.run._bench import elements
from edgeternary.run._emulator.alignment import REFUSED, checked
from edgeternary.run._emulator.count import OUTSIDE, Counter
from edgeternary.run._emulator.image import Image
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count, Measured, step_functions, steps_of
from edgeternary.run._emulator.timing import for_core
from edgeternary.run._emulator.timing.waits import Fetch

Progress = Callable[[int, int], None]


class Bench:
    """A machine with the addresses of the model's API."""

    def __init__(self, graph: Graph, image: Image, core: str) -> None:
        elf, prefix = image.elf, image.model.prefix
        self.machine = Machine(elf, core, image.regions)
        self._graph = graph
        self._run, self._reset = elf.address(f"{prefix}_run"), elf.address(f"{prefix}_reset")
        self._model = elf.address("bench_model")
        self._ports = [elf.address(port.name) for port in image.model.ports]

    def reset(self) -> None:
        self.machine.call(self._reset, self._model)

    def sample(self, codes: np.ndarray) -> bytes:
        """The outputs of a sample (*shape), or of its steps (steps, *shape), after a reset."""
        self.reset()
        return b"".join(self.step(step) for step in (codes if self._graph.states else (codes,)))

    def step(self, codes: np.ndarray) -> bytes:
        """One call of <model>_run on codes (*shape); the bytes of its output."""
        inputs, outputs = self._graph.inputs, self._graph.output_values
        for address, value in zip(self._ports, inputs, strict=False):
            self.machine.write(address, elements(value, split(inputs, codes)[value.name]))
        self.machine.call(self._run, self._model, *self._ports)
        return b"".join(
            self.machine.read(address, value.size * value.type.dtype.itemsize)
            for address, value in zip(self._ports[len(inputs) :], outputs, strict=True)
        )


def answers(
    graph: Graph, image: Image, core: str, inputs: np.ndarray, progress: Progress, timeout: float
) -> tuple[bytes, bytes]:
    """Output bytes of all samples (and steps), and the bytes of their taps.

    On an M0+ the first sample runs with a check that every access is aligned, the rest at full speed.
    """
    bench = Bench(graph, image, core)
    outputs, tapped = bytearray(), bytearray()
    taps = image.model.taps
    if taps:

        def tap(index: int, address: int) -> None:
            tapped.extend(bench.machine.read(address, taps[index].bytes))

        bench.machine.watch(image.elf.address("edgeternary_tap"), tap)
    aligned = not find_core(core).unaligned  # others have IT blocks, where unicorn 2.1 fails under such hooks
    with bench.machine.time_limit(timeout):
        for number, sample in enumerate(inputs):
            check = aligned and number == 0
            try:
                with checked(bench.machine, core) if check else nullcontext():
                    found = bench.sample(sample)
            except EdgeTernaryError as error:
                if not check or REFUSED in error.why:
                    raise
                tapped.clear()  # the check is what the emulator cannot do, or else the fault comes again
                found = bench.sample(sample)
            outputs += found
            progress(number + 1, len(inputs))
    return bytes(outputs), bytes(tapped)


def measure(
    graph: Graph, image: Image, core: str, inputs: np.ndarray, timeout: float, fetch: Fetch | None = None
) -> Measured:
    """Count every instruction of <model>_run on all of `inputs`, from its entry to its return.

    fetch  how its code comes out of flash; None where it arrives at once
    """
    bench = Bench(graph, image, core)
    timing, how = for_core(core, fetch)
    steps = step_functions(image.elf, image.model.prefix)
    run = image.elf.address(f"{image.model.prefix}_run")
    counter = Counter(bench.machine, steps, run, timing, fetch)
    calls, stack = 0, 0
    sums: dict[int, Count] = {}
    with bench.machine.time_limit(timeout):
        for sample in inputs:
            bench.reset()
            for codes in sample if graph.states else (sample,):
                counter.reset()
                bench.machine.paint_stack()
                bench.step(codes)
                counter.returned()
                stack = max(stack, bench.machine.stack_used())
                calls += 1
                called = steps_of(counter.calls, len(image.model.steps))
                for call, count in counter.layers().items():
                    index = called[call] if call != OUTSIDE else OUTSIDE
                    sums[index] = sums[index] + count if index in sums else count
    total = sum(islice(sums.values(), 1, None), next(iter(sums.values())))
    return Measured(calls, total, sums, stack, how)
