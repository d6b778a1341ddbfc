"""Inputs of every type with scales and zero points of every kind, and a program that quantises for all.

The program is one model of int32: an element's number of the case and the bits of a float in, its code out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeternary.c.render import render
from edgeternary.ir import Graph, Meta
from edgeternary.ir.sensor import identity
from edgeternary.ops import Reshape, Slice, build
from edgeternary.run._bench import BenchModel

SHAPE = (2, 1, 3)
SIZE = 6
TYPES = (
    ("uint8", None, None), ("int8", None, None), ("uint4", 0, 9), ("int16", None, None), ("uint16", 3, 65535),
    ("ternary", None, None), ("binary", None, None), ("bipolar", None, None), ("int32", None, None),
    ("int32", -(2**31), 2**24 + 1),
)  # fmt: skip
METAS = (
    Meta(input_scale=0.25, input_zero=3), Meta(input_scale=0.1), Meta(input_zero=-7),
    Meta(input_scale=(1 / 255, 3.0, 0.037)), Meta(input_scale=0.5, input_zero=(1, -2, 200)),
    Meta(input_scale=(2.0**-126, 3e38, 7e-20), input_zero=(0, 1, -1)),
)  # fmt: skip
ENDS = (
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    1e-38,
    3.4e38,
    -3.4e38,
    2.0**31,
    -(2.0**31),
    2.0**24,
    np.inf,
    -np.inf,
    np.nan,
)


def cases() -> list[Graph]:
    """A graph for each type and meta; int32 ones have a zero point of 0."""
    made = []
    for index, (kind, lo, hi) in enumerate(TYPES):
        for number, meta in enumerate(METAS):
            if kind == "int32":
                meta = Meta(input_scale=meta.input_scale)
            if identity(meta.of_input("x")):
                continue
            x = build.value("x", SHAPE, kind, lo, hi)
            flat = Reshape(name="y", inputs=("x",), shape=(SIZE,))
            made.append(replace(build.graph(x, flat, name=f"case{index}_{number}"), meta=meta))
    return made


def sensor_values(graph: Graph, rng: np.random.Generator) -> np.ndarray:
    """Float32 values (samples, *SHAPE): ties, their neighbours, ends of intervals and of float32, noise."""
    x, scale = graph.input, np.resize(np.asarray(graph.meta.input_scale, np.float32), 3)
    zero = np.resize(graph.meta.input_zero, 3)
    near = [x.lo, x.hi, 0, *rng.integers(max(x.lo, -99), min(x.hi, 99) + 1, 6)]
    rows = []
    with np.errstate(over="ignore", under="ignore"):
        for code in near:
            for half in (0, 0.5, -0.5, 1.5, -1.5):
                tie = (np.float32(code + half) - zero).astype(np.float32) * scale
                up, down = np.float32(np.inf), np.float32(-np.inf)
                rows += [tie, np.nextafter(tie, up), np.nextafter(tie, down)]
        rows += [np.full(3, end) for end in ENDS]
        rows += list(rng.normal(0, 1, (20, 3)) * 99 * scale)
        values = np.array(rows, np.float32)
    return np.concatenate([values, values[rng.permutation(len(values))]], 1).reshape(-1, *SHAPE)


def by_hand(graph: Graph, values: np.ndarray) -> np.ndarray:
    """The definition, element by element, in Python's own numbers: a quotient of two float32 that is rounded
    in float64 and then in float32 is the float32 quotient, and round() takes a tie to the even integer."""
    x, found = graph.input, []
    scale = np.resize(np.asarray(graph.meta.input_scale, np.float32), SIZE)
    zero = np.resize(graph.meta.input_zero, SIZE)
    for row in values.reshape(-1, SIZE):
        for value, s, z in zip(row.tolist(), scale.tolist(), zero.tolist(), strict=True):
            with np.errstate(over="ignore", under="ignore"):
                q = float(np.float32(np.float64(value) / s))
            if x.type.name == "bipolar":
                found.append(1 if q >= -z else -1)
            elif np.isnan(q):
                found.append(x.lo)
            else:
                found.append(min(max(round(min(max(q, -1e15), 1e15)) + z, x.lo), x.hi))
    return np.array(found).reshape(values.shape)


def program(graphs: list[Graph]) -> tuple[Graph, BenchModel]:
    """A graph that says what goes in and out, (1 + SIZE) int32 to SIZE, and C that does it with `graphs`."""
    texts = [render(graph, "cortex-m4") for graph in graphs]
    heads = {name: text for sources in texts for name, text in sources.items() if name.endswith(".h")}
    names = [graph.name for graph in graphs]
    body = [f"#define {name.upper()}_QUANTIZE" for name in names]
    for name, sources in zip(names, texts, strict=True):
        text = sources[f"{name}.c"]  # the rest of it is not needed, and takes a compiler long
        body += [f'#include "{name}.h"', text[text.index(f"#ifdef {name.upper()}_QUANTIZE") :]]
    body += ['#include "probe.h"', "typedef union { int32_t bits; float value; } probe_word;"]
    body += ["void probe_reset(probe_t *net) { (void)net; }"]
    body += ["void probe_run(probe_t *net, const int32_t *in, int32_t *out) {", "(void)net;"]
    body += [f"float values[{SIZE}]; for (int i = 0; i < {SIZE}; i++) {{"]
    body += ["probe_word word; word.bits = in[i + 1]; values[i] = word.value; }"]
    for index, name in enumerate(names):
        body += [f"if (in[0] == {index}) {{ {name}_in_t codes[{SIZE}]; {name}_quantize(values, codes);"]
        body += [f"for (int i = 0; i < {SIZE}; i++) {{ out[i] = codes[i]; }} }}"]
    head = [
        "#ifndef PROBE_H", "#define PROBE_H", "#include <stdint.h>", f"#define PROBE_INPUT_SIZE {SIZE + 1}",
        f"#define PROBE_OUTPUT_SIZE {SIZE}", "typedef int32_t probe_in_t;", "typedef int32_t probe_out_t;",
        "typedef struct { int32_t none; } probe_t;", "void probe_reset(probe_t *net);",
        "void probe_run(probe_t *net, const int32_t *in, int32_t *out);", "#endif",
    ]  # fmt: skip
    sources = {**heads, "probe.h": "\n".join(head) + "\n", "probe.c": "\n".join([*body, "}"]) + "\n"}
    x = build.value("x", (SIZE + 1,), "int32")
    graph = build.graph(x, Slice(name="y", inputs=("x",), start=1, stop=SIZE + 1), name="probe")
    return graph, BenchModel("probe", sources)
