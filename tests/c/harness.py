"""Compile generated C with the host's gcc under sanitizers and run it, taps and all.

Many models share one program, so a test compiles once; it also shows that models live side by side.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeternary import cores
from edgeternary.c.choices import Allow, Arriving, Candidate, Choices
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.layouts import Layout
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.rescale.narrowed import narrowed
from edgeternary.c.search.search import Search
from edgeternary.c.select import Budget, choose
from edgeternary.c.tabled import tabled
from edgeternary.ir import Graph, IntArray
from edgeternary.ir.names import identifier
from edgeternary.ops import build
from edgeternary.run.numpy import run as reference
from edgeternary.toolchains.compilers import SANITIZE_GCC

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
# A trap in place of a message halves the time of the compiler; without it the fault's line is printed.
SANITIZE = ("-O0", *SANITIZE_GCC, "-fsanitize-undefined-trap-on-error")

MODEL = """
#include "{net}.c"

static const unsigned {net}_tap_bytes[] = {{ {taps} }};

static int {net}_main(int steps)
{{
    static {net}_t net;
    {net}_in_t in[{NET}_INPUT_SIZE];
    {net}_in_t kept[{NET}_INPUT_SIZE];
    {net}_out_t out[{NET}_OUTPUT_SIZE];

    tap_bytes = {net}_tap_bytes;
    memset(&net, 0xa5, sizeof net);
    for (int i = 0; fread(in, sizeof in, 1, stdin) == 1; i++) {{
        if (i % steps == 0) {{
            {net}_reset(&net);
        }}
        memcpy(kept, in, sizeof in);
        {net}_run(&net, in, out);
        if (memcmp(kept, in, sizeof in) != 0) {{
            return 3;
        }}
        fwrite(out, sizeof out, 1, stdout);
    }}
    return 0;
}}
"""

HEAD = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void edgeternary_tap(unsigned index, const void *value);

static const unsigned *tap_bytes;

void edgeternary_tap(unsigned index, const void *value)
{
    fwrite(value, 1, tap_bytes[index], stderr);
}
"""


@dataclass(frozen=True)
class Ran:
    """Outputs (samples, *shape) or (samples, steps, *shape), and the taps in the order of `Plan.taps`."""

    outputs: IntArray
    taps: list[IntArray]


class Program:
    """All plans in one executable; each is run by its index."""

    def __init__(self, plans: Sequence[Plan], folder: Path, flags: Sequence[str] = SANITIZE) -> None:
        self.plans = [replace(p, graph=replace(p.graph, name=f"m{i}")) for i, p in enumerate(plans)]
        self.program = folder / "models"
        text = HEAD
        for plan in self.plans:
            net = identifier(plan.graph.name)
            for name, source in render_plan(plan, taps=True).items():
                (folder / name).write_text(source)
            sizes = ", ".join(str(tap.bytes) for tap in plan.taps) or "0"
            text += MODEL.format(net=net, NET=net.upper(), taps=sizes)
        mains = ", ".join(f"m{i}_main" for i in range(len(plans)))
        text += f"\nstatic int (*const mains[])(int) = {{ {mains} }};\n"
        text += (
            "\nint main(int argc, char **argv)\n{\n"
            "    return argc == 3 ? mains[atoi(argv[1])](atoi(argv[2])) : 2;\n}\n"
        )
        (folder / "main.c").write_text(text)
        command = ["gcc", *WARNINGS, *flags, "-o", self.program, folder / "main.c"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stderr[:3000]

    def run(self, index: int, inputs: IntArray) -> Ran:
        """Run one plan on codes (samples, [steps,] *shape)."""
        plan = self.plans[index]
        graph = plan.graph
        lead = inputs.shape[: 2 if graph.states else 1]
        command = [self.program, str(index), str(lead[1] if graph.states else 1)]
        raw = inputs.astype(graph.input.type.dtype.newbyteorder("<")).tobytes()
        ran = subprocess.run(command, input=raw, capture_output=True, check=False, timeout=120)
        assert ran.returncode == 0, ran.stderr.decode(errors="replace")[-3000:]
        out = graph.output_value
        outputs = np.frombuffer(ran.stdout, out.type.dtype.newbyteorder("<")).astype(np.int32)
        return Ran(outputs.reshape(*lead, *out.shape), _taps(plan, ran.stderr, lead))

    def check(self, inputs: Callable[[Graph], IntArray]) -> None:
        """The outputs of every plan are numpy's."""
        for index, plan in enumerate(self.plans):
            codes = inputs(plan.graph)
            found = self.run(index, codes).outputs
            np.testing.assert_array_equal(found, reference(plan.graph, codes).outputs, f"plan {index}")


def check(plans: Sequence[Plan], folder: Path, seed: int = 1, flags: Sequence[str] = SANITIZE) -> None:
    """Compare every output and every tap of every plan with the numpy reference."""
    program = Program(plans, folder, flags)
    for index, plan in enumerate(program.plans):
        inputs = sample(plan.graph, np.random.default_rng(seed + index))
        ran, expected = program.run(index, inputs), reference(plan.graph, inputs, taps=True)
        kernels = [step.kernel.name for step in plan.steps]
        for tap, shown in zip(plan.taps, ran.taps, strict=True):
            message = f"plan {index}, {tap.value}, kernels {kernels}"
            np.testing.assert_array_equal(shown, expected.taps[tap.value.name], message)
        np.testing.assert_array_equal(ran.outputs, expected.outputs, f"plan {index}, kernels {kernels}")


@dataclass(frozen=True)
class Known:
    """What kernels offer at each op, and conversions for each value."""

    offers: dict[tuple[int, Arriving], list[Candidate]]
    conversions: dict[tuple[str, Layout, Layout], list[Candidate]]


class Remembered(Choices):
    """Choices of one graph that ask each kernel once, also where they differ in what is allowed."""

    def __init__(self, graph: Graph, core: cores.Core, allow: Allow, known: Known) -> None:
        self._all = known.offers
        super().__init__(graph, core, allow=allow)
        self._conversions = known.conversions

    def _offers(self, index: int, arriving: Arriving) -> Iterator[Candidate]:
        if (index, arriving) not in self._all:
            self._all[index, arriving] = list(super()._offers(index, arriving))
        return iter(self._all[index, arriving])


def every_plan(graph: Graph, core: str = "cortex-m4", some: slice = slice(None)) -> Iterator[Plan]:
    """Plans that together take every offer that any kernel makes for `graph`, or `some` of the offers."""
    seen: list[tuple[str, str, Offer]] = []

    def note(match: Match, kernel: Kernel, offer: Offer) -> bool:
        key = (match.ops[0].name, kernel.name, replace(offer))
        if not any(_same(key, other) for other in seen):
            seen.append(key)
        return True

    target, graph, offers = cores.core(core), tabled(narrowed(graph)), Known({}, {})
    Search(Remembered(graph, target, note, offers)).labels()
    for name, kernel_name, wanted in seen[some]:

        def only(
            match: Match,
            kernel: Kernel,
            offer: Offer,
            key: tuple[str, str, Offer] = (name, kernel_name, wanted),
        ) -> bool:
            return match.ops[0].name != key[0] or _same((key[0], kernel.name, offer), key)

        labels = Search(Remembered(graph, target, only, offers)).labels()
        yield choose(graph, target, labels, "cycles", Budget())


def _same(a: tuple[str, str, Offer], b: tuple[str, str, Offer]) -> bool:
    return a[:2] == b[:2] and all(
        getattr(a[2], field) == getattr(b[2], field) for field in ("ins", "out", "variant")
    )


def sample(graph: Graph, rng: np.random.Generator, count: int = 6, steps: int = 4) -> IntArray:
    """Random inputs of the right shape, the extremes of the interval among them."""
    if not graph.states:
        return build.samples(rng, graph.input, count)
    return np.stack([build.samples(rng, graph.input, steps) for _ in range(count)])


def _taps(plan: Plan, data: bytes, lead: tuple[int, ...]) -> list[IntArray]:
    count, per_run = int(np.prod(lead)), sum(tap.bytes for tap in plan.taps)
    assert len(data) == count * per_run
    shown, offset = [], 0
    for tap in plan.taps:
        images = [data[i * per_run + offset :][: tap.bytes] for i in range(count)]
        shown.append(np.stack([tap.decode(image) for image in images]).reshape(*lead, *tap.value.shape))
        offset += tap.bytes
    return shown
