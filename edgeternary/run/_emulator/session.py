"""A model on an emulated core that stays alive from step to step."""

import numpy as np

from edgeternary.ir import Graph, IntArray
from edgeternary.run._bench import decode_outputs
from edgeternary.run._emulator.count import Counter
from edgeternary.run._emulator.image import link
from edgeternary.run._emulator.measure import Bench
from edgeternary.run._emulator.timing import for_core
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Stat

COUNTED = 4  # steps whose instructions are counted


class Session:
    """Runs at full speed; a second machine counts the instructions of the first COUNTED steps."""

    def __init__(self, graph: Graph, core: str, options: Options) -> None:
        model = render(graph, core, optimize=options.optimize)
        image = link(model, core, compiler=options.compiler, opt_level=options.opt_level)
        self.graph, self.bench, self.counted = graph, Bench(graph, image, core), Bench(graph, image, core)
        timing, how = for_core(core)
        self.counter = Counter(self.counted.machine, {}, image.elf.address(f"{model.prefix}_run"), timing)
        self.stats: dict[str, Stat] = {
            "flash_bytes": image.flash_bytes, "timing": how, "compiler": image.compiler,
        }  # fmt: skip
        self.instructions = self.cycles = self.steps = 0
        self.bench.reset()
        self.counted.reset()

    def step(self, codes: np.ndarray) -> IntArray:
        if self.steps < COUNTED:
            self.counter.reset()
            self.counted.step(codes)
            self.counter.returned()
            for count in self.counter.layers().values():
                self.instructions += count.instructions
                self.cycles += count.cycles or 0
            self.steps += 1
            self.stats["instructions"] = self.instructions / self.steps
            self.stats["cycles"] = self.cycles / self.steps if self.cycles else None
        return decode_outputs(self.graph, self.bench.step(codes), ())
