"""Many models in one program: one build and one run for all of them, on this machine or on a Cortex-M.

The fleet is itself a model to the bench: its input is the bytes of every member's input, one after the
other, its output the bytes of every member's output. So it also shows that many models live in one
firmware, each with its own state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

import edgeternary.run._model as model_of
from edgeternary.ir import Graph
from edgeternary.ops import build
from edgeternary.run import cortex_m, host, qemu
from edgeternary.run import run as run_graph
from edgeternary.run._bench import BenchModel, elements
from edgeternary.run._options import Options
from tests.registry.graphs import inputs as random_inputs

SAMPLES = 5
STEPS = 4


@dataclass(frozen=True)
class Fleet:
    """members: graphs, renamed to m0, m1, ...; codes: of each (samples, steps, *shape)."""

    members: tuple[Graph, ...]
    codes: tuple[np.ndarray, ...]

    @staticmethod
    def of(graphs: Sequence[Graph], samples: int = SAMPLES, steps: int = STEPS, seed: int = 0) -> Fleet:
        """Random codes for each; a graph without states takes each step as a sample of its own."""
        members = tuple(replace(graph, name=f"m{i}") for i, graph in enumerate(graphs))
        codes = tuple(
            random_inputs(graph, samples if graph.states else samples * steps, seed, steps).reshape(
                samples, steps, *graph.input.shape
            )
            for graph in members
        )
        return Fleet(members, codes)

    def expected(self) -> list[np.ndarray]:
        """What numpy answers, (samples, steps, *shape) for each member."""
        return [_by_steps(graph, codes) for graph, codes in zip(self.members, self.codes, strict=True)]

    def answer(self, executor: str, **options: object) -> list[np.ndarray]:
        """What the fleet answers when it runs as one program on host, cortex-m* or qemu:*."""
        prefix = next(name for name in RUNNERS if executor.startswith(name))
        target = executor[len(prefix) :].lstrip("-:")
        outputs = RUNNERS[prefix](self, target, Options.read({"count": 0, **options}))
        sizes = [_bytes(graph.output_value) for graph in self.members]
        parts = np.split(outputs.astype(np.uint8), np.cumsum(sizes)[:-1], axis=2)
        return [
            np.ascontiguousarray(part)
            .view(graph.output_value.type.dtype.newbyteorder("<"))
            .reshape(*part.shape[:2], *graph.output_value.shape)
            .astype(np.int32)
            for part, graph in zip(parts, self.members, strict=True)
        ]

    def check(self, executor: str, **options: object) -> None:
        """AssertionError, with the graph's text, when a member's output differs from numpy's anywhere."""
        from edgeternary.ir.text import dump

        for graph, right, found in zip(
            self.members, self.expected(), self.answer(executor, **options), strict=True
        ):
            np.testing.assert_array_equal(
                found, right, err_msg=f"{executor} differs from numpy on\n{dump(graph)}"
            )

    def blob(self) -> np.ndarray:
        """All codes as bytes, (samples, steps, bytes of a step)."""
        lead = self.codes[0].shape[:2]
        parts = [
            np.frombuffer(elements(graph.input, codes), np.uint8).reshape(*lead, -1)
            for graph, codes in zip(self.members, self.codes, strict=True)
        ]
        return np.concatenate(parts, axis=2)

    def shape(self) -> Any:
        """The fleet as the bench sees it: a graph with states whose input and output are bytes."""
        return SimpleNamespace(
            name="fleet",
            input=build.value("in", (sum(_bytes(g.input) for g in self.members),), "uint8"),
            output_value=build.value("out", (sum(_bytes(g.output_value) for g in self.members),), "uint8"),
            states=("some",),
        )

    def sources(self, core: str) -> dict[str, str]:
        """C of all members."""
        sources: dict[str, str] = {}
        for graph in self.members:
            sources.update(model_of.render(graph, core).sources)
        return sources

    def bench_model(self, core: str) -> BenchModel:
        """C of all members and of the fleet around them."""
        sources = self.sources(core)
        whole = self.shape()
        sources["fleet.h"] = _header(self.members, whole.input.size, whole.output_value.size)
        sources["fleet.c"] = _source(self.members)
        return BenchModel("fleet", sources)


def _by_steps(graph: Graph, codes: np.ndarray) -> np.ndarray:
    if graph.states:
        return run_graph(graph, codes).outputs
    flat = run_graph(graph, codes.reshape(-1, *graph.input.shape)).outputs
    return flat.reshape(*codes.shape[:2], *graph.output_value.shape)


def _bytes(value: Any) -> int:
    return int(value.size * value.type.dtype.itemsize)


def _header(members: Sequence[Graph], inputs: int, outputs: int) -> str:
    lines = ["#ifndef FLEET_H", "#define FLEET_H", "#include <stdint.h>"]
    lines += [f'#include "{graph.name}.h"' for graph in members]
    lines += [f"#define FLEET_INPUT_SIZE {inputs}", f"#define FLEET_OUTPUT_SIZE {outputs}"]
    lines += ["typedef uint8_t fleet_in_t;", "typedef uint8_t fleet_out_t;", "typedef struct {"]
    lines += [f"    {graph.name}_t {graph.name};" for graph in members]
    lines += ["} fleet_t;", "void fleet_reset(fleet_t *self);"]
    lines += ["void fleet_run(fleet_t *self, const fleet_in_t *in, fleet_out_t *out);", "#endif", ""]
    return "\n".join(lines)


MEMBER = """
static void run_{name}({name}_t *model, const uint8_t *in, uint8_t *out)
{{
    {name}_in_t input[{upper}_INPUT_SIZE];
    {name}_out_t output[{upper}_OUTPUT_SIZE];
    memcpy(input, in, sizeof input);
    {name}_run(model, input, output);
    memcpy(out, output, sizeof output);
}}
"""


def _source(members: Sequence[Graph]) -> str:
    text = '#include "fleet.h"\n#include <string.h>\n'
    text += "".join(MEMBER.format(name=graph.name, upper=graph.name.upper()) for graph in members)
    resets = [f"    {graph.name}_reset(&self->{graph.name});" for graph in members]
    runs, start, end = [], 0, 0
    for graph in members:
        runs.append(f"    run_{graph.name}(&self->{graph.name}, in + {start}, out + {end});")
        start, end = start + _bytes(graph.input), end + _bytes(graph.output_value)
    text += "\n".join(["\nvoid fleet_reset(fleet_t *self)", "{", *resets, "}", ""])
    head = "\nvoid fleet_run(fleet_t *self, const fleet_in_t *in, fleet_out_t *out)"
    return text + "\n".join([head, "{", *runs, "}", ""])


def _host(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    return host.execute(fleet.shape(), fleet.blob(), fleet.bench_model("host"), options).outputs


def _qemu(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    board = qemu.emulated_board(target)
    return qemu.execute(fleet.shape(), fleet.blob(), board, fleet.bench_model(board.core), options).outputs


def _cortex_m(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    core = f"cortex-m{target}"
    model = fleet.bench_model(core)
    return cortex_m.execute(fleet.shape(), fleet.blob(), core, model, None, options).outputs


RUNNERS: dict[str, Callable[[Fleet, str, Options], np.ndarray]] = {
    "host": _host,
    "cortex-m": _cortex_m,
    "qemu": _qemu,
}
