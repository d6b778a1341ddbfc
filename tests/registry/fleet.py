"""Many models in one program: one build and one run for all of them, on this machine or on a Cortex-M.

The fleet is itself a model to the bench: its input is the bytes of every member's input, one after the
other, its output the bytes of every member's output. So it also shows that many models live in one
firmware, each with its own state.

Guards lie around every model, every input and every output: bytes that must not change, and that spoil an
answer which reads them. The last byte of the output counts the guards that did change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

import edgeternary.run._model as model_of
from edgeternary.ir import Graph
from edgeternary.ir.ports import join, joined_shape
from edgeternary.ops import build
from edgeternary.run import cortex_m, host, numpy, qemu
from edgeternary.run._bench import BenchModel, decode_outputs, input_bytes, ports_of
from edgeternary.run._options import Options
from tests.registry.graphs import named_inputs as random_inputs

SAMPLES = 5
STEPS = 4
GUARD = 16  # bytes, and a multiple of every alignment
POISON = 0xB5


@dataclass(frozen=True)
class Fleet:
    """members: graphs, renamed to m0, m1, ...; codes: of each (samples, steps, *shape), several joined."""

    members: tuple[Graph, ...]
    codes: tuple[np.ndarray, ...]

    @staticmethod
    def of(graphs: Sequence[Graph], samples: int = SAMPLES, steps: int = STEPS, seed: int = 0) -> Fleet:
        """Random codes for each; a graph without states takes each step as a sample of its own."""
        members = tuple(replace(graph, name=f"m{i}") for i, graph in enumerate(graphs))
        codes = tuple(
            join(
                graph.inputs, random_inputs(graph, samples if graph.states else samples * steps, seed, steps)
            ).reshape(samples, steps, *joined_shape(graph.inputs))
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
        outputs = RUNNERS[prefix](self, target, Options.read({"count": 0, **options})).astype(np.uint8)
        sizes = [_bytes(*graph.output_values) for graph in self.members]
        *parts, changed = np.split(outputs, np.cumsum(sizes), axis=2)
        assert not changed.any(), f"{executor}: something was written outside of models and answers"
        return [
            decode_outputs(graph, part.tobytes(), part.shape[:2])
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
            np.frombuffer(input_bytes(graph, codes), np.uint8).reshape(*lead, -1)
            for graph, codes in zip(self.members, self.codes, strict=True)
        ]
        return np.concatenate(parts, axis=2)

    def shape(self) -> Any:
        """The fleet as the bench sees it: a graph with states whose input and output are bytes."""
        source = build.value("in", (sum(_bytes(*g.inputs) for g in self.members),), "uint8")
        answer = build.value("out", (1 + sum(_bytes(*g.output_values) for g in self.members),), "uint8")
        return SimpleNamespace(
            name="fleet", input=source, inputs=(source,), output_values=(answer,), states=("some",)
        )

    def sources(self, core: str, optimize: str = "cycles") -> dict[str, str]:
        """C of all members."""
        sources: dict[str, str] = {}
        for graph in self.members:
            sources.update(model_of.render(graph, core, optimize=optimize).sources)
        return sources

    def bench_model(self, core: str, optimize: str = "cycles") -> BenchModel:
        """C of all members and of the fleet around them."""
        sources = self.sources(core, optimize)
        whole = self.shape()
        sources["fleet.h"] = _header(self.members, whole.input.size, whole.output_values[0].size)
        sources["fleet.c"] = _source(self.members)
        return BenchModel("fleet", sources)


def _by_steps(graph: Graph, codes: np.ndarray) -> np.ndarray:
    if graph.states:
        return numpy.run(graph, codes).outputs
    flat = numpy.run(graph, codes.reshape(-1, *joined_shape(graph.inputs))).outputs
    return flat.reshape(*codes.shape[:2], *joined_shape(graph.output_values))


def _bytes(*values: Any) -> int:
    return sum(int(value.size * value.type.dtype.itemsize) for value in values)


def _header(members: Sequence[Graph], inputs: int, outputs: int) -> str:
    lines = ["#ifndef FLEET_H", "#define FLEET_H", "#include <stdint.h>"]
    lines += [f'#include "{graph.name}.h"' for graph in members]
    lines += [f"#define FLEET_INPUT_SIZE {inputs}", f"#define FLEET_OUTPUT_SIZE {outputs}"]
    lines += ["typedef uint8_t fleet_in_t;", "typedef uint8_t fleet_out_t;", "typedef struct {"]
    for graph in members:
        lines += [f"    unsigned char before_{graph.name}[{GUARD}];", f"    {graph.name}_t {graph.name};"]
    lines += [f"    unsigned char after[{GUARD}];", "} fleet_t;", "void fleet_reset(fleet_t *self);"]
    lines += ["void fleet_run(fleet_t *self, const fleet_in_t *in, fleet_out_t *out);", "#endif", ""]
    return "\n".join(lines)


# Optimised, these functions become one large one, and take longer to compile than all members.
HEAD = f"""#include "fleet.h"
#include <string.h>

#if defined(__clang__)
#pragma clang optimize off
#elif defined(__GNUC__)
#pragma GCC optimize("O0")
#endif

static void guard(unsigned char *bytes)
{{
    memset(bytes, {POISON}, {GUARD});
}}

static int changed(const unsigned char *bytes)
{{
    for (int i = 0; i < {GUARD}; i++)
        if (bytes[i] != {POISON})
            return 1;
    return 0;
}}

static int differs(const void *a, const void *b, unsigned size)
{{
    for (unsigned i = 0; i < size; i++)
        if (((const unsigned char *)a)[i] != ((const unsigned char *)b)[i])
            return 1;
    return 0;
}}
"""

# Input and output lie as a caller may put them: aligned as their elements are, and no better.
MEMBER = """
static int run_{name}({name}_t *model, const uint8_t *in, uint8_t *out)
{{
    struct {{
{members}        unsigned char last[{guard}];
    }} io;
    int harm = 0;

    guard(io.last);
{before}    {name}_run(model, {arguments});
{after}    return harm + changed(io.last);
}}
"""
PORT = "        unsigned char guard_{name}[{guard}];\n        {ctype} first_{name}, {name}[{size}];\n"
BEFORE = "    guard(io.guard_{name});\n    io.first_{name} = 0;\n"
READ = "    memcpy(io.{name}, in + {at}, sizeof io.{name});\n"
AFTER = "    harm += io.first_{name} != 0 || changed(io.guard_{name});\n"
KEPT = "    harm += differs(io.{name}, in + {at}, sizeof io.{name});\n"
WRITTEN = "    memcpy(out + {at}, io.{name}, sizeof io.{name});\n"


def _member(graph: Graph) -> str:
    """The function that runs a member on the bytes of its inputs."""
    texts = {"members": "", "before": "", "after": ""}
    ports = BenchModel(graph.name, {}, several=ports_of(graph)).ports
    at = 0
    for number, (port, value) in enumerate(zip(ports, (*graph.inputs, *graph.output_values), strict=True)):
        if number == len(graph.inputs):
            at = 0
        fields = {"name": port.name, "ctype": port.ctype, "size": port.size, "guard": GUARD, "at": at}
        texts["members"] += PORT.format(**fields)
        texts["before"] += (BEFORE + ("" if port.output else READ)).format(**fields)
        texts["after"] += (AFTER + (WRITTEN if port.output else KEPT)).format(**fields)
        at += _bytes(value)
    arguments = ", ".join(f"io.{port.name}" for port in ports)
    return MEMBER.format(name=graph.name, guard=GUARD, arguments=arguments, **texts)


def _source(members: Sequence[Graph]) -> str:
    text = HEAD
    text += "".join(map(_member, members))
    guards = [*(f"self->before_{graph.name}" for graph in members), "self->after"]
    resets = [f"    guard({name});" for name in guards]
    resets += [f"    {graph.name}_reset(&self->{graph.name});" for graph in members]
    runs, start, end = ["    int harm = 0;", ""], 0, 0
    for graph in members:
        runs.append(f"    harm += run_{graph.name}(&self->{graph.name}, in + {start}, out + {end});")
        start, end = start + _bytes(*graph.inputs), end + _bytes(*graph.output_values)
    runs += [f"    harm += changed({name});" for name in guards]
    runs.append(f"    out[{end}] = (uint8_t)(harm > 255 ? 255 : harm);")
    text += "\n".join(["\nvoid fleet_reset(fleet_t *self)", "{", *resets, "}", ""])
    head = "\nvoid fleet_run(fleet_t *self, const fleet_in_t *in, fleet_out_t *out)"
    return text + "\n".join([head, "{", *runs, "}", ""])


def _host(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    return host.execute(
        fleet.shape(), fleet.blob(), fleet.bench_model("host", options.optimize), options
    ).outputs


def _qemu(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    board = qemu.emulated_board(target)
    return qemu.execute(
        fleet.shape(), fleet.blob(), board, fleet.bench_model(board.core, options.optimize), options
    ).outputs


def _cortex_m(fleet: Fleet, target: str, options: Options) -> np.ndarray:
    core = f"cortex-m{target}"
    model = fleet.bench_model(core, options.optimize)
    return cortex_m.execute(fleet.shape(), fleet.blob(), core, model, None, options).outputs


RUNNERS: dict[str, Callable[[Fleet, str, Options], np.ndarray]] = {
    "host": _host,
    "cortex-m": _cortex_m,
    "qemu": _qemu,
}
