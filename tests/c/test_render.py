"""The text of generated files: the same every time, safe with any name, clean under every compiler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.naming import comment
from edgeternary.c.render import render
from edgeternary.c.tidy import WIDTH, tidy
from edgeternary.cores import CORTEX_M
from edgeternary.ir import REGISTRY, Graph, Meta
from edgeternary.ops import Concat, Lookup, build
from edgeternary.toolchains import compilers
from tests.c.graphs import branches, cnn, followed, mlp, stateful
from tests.full import FULL
from tests.need import need


def models() -> list[Graph]:
    """A few models that need every helper, 16-bit buffers, 64-bit arithmetic and states."""
    rng = np.random.default_rng(0)
    quantized = [followed(g, "C", rng) for g in REGISTRY["conv2d"].examples(rng)[:2]]
    wide = REGISTRY["lookup"].examples(rng)[1]
    graphs = [
        cnn("ternary", "uint2", 8, (5, 17, 33)), cnn("bipolar", "bipolar", 8, (16, 32)), branches("int3"),
        mlp("ternary", "ternary", (90, 40, 7)), stateful(), wide, *quantized,
        *REGISTRY["requantize"].examples(rng),
    ]  # fmt: skip
    return [replace(graph, name=f"m{i}") for i, graph in enumerate(graphs)]


def test_equal_tables_are_there_once() -> None:
    """Of lookups with the same contents, as the gates of a language model have."""
    rng = np.random.default_rng(0)
    x = build.value("x", (5,), "uint8")
    table, other = (rng.integers(-100, 100, 256).astype(np.int32) for _ in range(2))
    first, second, third = (
        Lookup(name=name, inputs=("x",), table=entries, offset=0, type="int8")
        for name, entries in (("a", table), ("b", other), ("c", table))
    )
    graph = build.graph(x, first, second, third, Concat(name="all", inputs=("a", "b", "c")))
    (text,) = (text for name, text in render(graph).items() if name.endswith(".c"))
    assert [found for found in "abc" if f"_{found}_table[256]" in text] == ["a", "b"]
    assert text.count("a_table[x[i]") == 2


def test_same_graph_same_bytes() -> None:
    first, second = render(cnn("ternary", "uint2", 8, (16, 32))), render(cnn("ternary", "uint2", 8, (16, 32)))
    assert first == second
    assert set(first) == {"cnn.c", "cnn.h"}


@pytest.mark.slow
def test_bytes_do_not_depend_on_hash_seeds() -> None:
    code = (
        "import sys; from edgeternary.c.render import render; from tests.c.graphs import branches;"
        "sys.stdout.write(''.join(render(branches('uint2')).values()))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1 and len(next(iter(texts))) > 1000


def test_api() -> None:
    header = render(mlp("ternary", "bipolar", (40, 20, 5)))["mlp.h"]
    for line in (
        "MLP_INPUT_SIZE 40",
        "MLP_OUTPUT_SIZE 5",
        "typedef uint8_t mlp_in_t;",
        "typedef int32_t mlp_out_t;",
    ):
        assert line in header
    assert "void mlp_reset(mlp_t *net);" in header
    assert "void mlp_run(mlp_t *net, const mlp_in_t *in, mlp_out_t *out);" in header


def test_no_library_no_globals() -> None:
    for graph in models():
        for name, text in render(graph, taps=False).items():
            includes = set(re.findall(r"#include (\S+)", text))
            assert includes <= {"<stdint.h>", f'"{graph.name}.h"'}, name
            assert not re.search(r"\b(malloc|printf|memcpy|static (?!const|inline|__attribute__))", text), (
                name
            )


def test_binary_and_ternary_layers_do_not_multiply() -> None:
    text = render(mlp("ternary", "bipolar", (64, 32, 5), "bipolar"))["mlp.c"]
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    assert not re.findall(
        r"[\w)\]] \* \w", code.replace("const uint32_t *", "").replace("2 * raw", "shifted")
    )


def test_hostile_names(tmp_path: Path) -> None:
    need("gcc")
    graph = mlp("ternary", "bipolar", (12, 6, 3))
    names = {"x": "*/ #error", "fc0": "int", "act0": "net", "fc1": 'a\\"??/'}
    x = replace(graph.input, name=names["x"])
    ops = []
    for op in graph.ops:
        fields = {field: getattr(op, field) for field in op.__struct_fields__}
        fields |= {"name": names[op.name], "inputs": tuple(names[n] for n in op.inputs)}
        ops.append(type(op)(**fields))
    hostile = replace(build.graph(x, *ops), name="*/ for")
    sources = render(hostile)
    for name, text in sources.items():
        assert re.fullmatch(r"[a-z0-9_]+\.[ch]", name)
        (tmp_path / name).write_text(text)
    unit = next(name for name in sources if name.endswith(".c"))
    command = ["gcc", *compilers.WARNINGS, "-fsyntax-only", unit]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_comment_cannot_be_closed() -> None:
    assert comment("a */ b /* ??/ \\ é") == "a __ b __ ___ _ _"


def test_quantize_only_for_scaled_inputs() -> None:
    graph = mlp("ternary", "bipolar", (12, 6, 3))
    assert "quantize" not in "".join(render(graph).values())
    scaled = replace(graph, meta=Meta(input_scale=0.25, input_zero=3))
    assert "void mlp_quantize(const float *values, mlp_in_t *codes);" in render(scaled)["mlp.h"]


def test_quantize(tmp_path: Path) -> None:
    need("gcc")
    scaled = replace(mlp("ternary", "bipolar", (6, 3)), meta=Meta(input_scale=0.25, input_zero=3))
    for name, text in render(scaled).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "mlp.c"\nint main(void)\n{\n'
        "    const float zero = 0.0f, v[6] = { 0.0f, 0.37f, -0.38f, 1e30f, -1e30f, zero / zero };\n"
        "    mlp_in_t codes[6];\n    mlp_quantize(v, codes);\n"
        '    for (int i = 0; i < 6; i++) {\n        printf("%d ", codes[i]);\n    }\n    return 0;\n}\n'
    )
    flags = [
        *compilers.WARNINGS,
        "-DMLP_QUANTIZE",
        "-fsanitize=undefined,address",
        "-fno-sanitize-recover=all",
    ]
    command = ["gcc", *flags, "-o", "main", "main.c"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run([tmp_path / "main"], check=True, capture_output=True, text=True).stdout
    assert shown.split() == ["3", "4", "1", "255", "0", "0"]


def test_tidy() -> None:
    given = "int f(void)\n{\n\n\nif (a) {\nx();\n\n}\n}\n/* a\n * b */\nint t[] = {\n1,\n};\n#if A\n"
    body = "{\n    if (a) {\n        x();\n    }\n}\n"
    assert tidy(given) == f"int f(void)\n{body}\n/* a\n * b */\nint t[] = {{\n    1,\n}};\n#if A\n"
    statement = "y = " + " + ".join(f"f(a{i}, b{i})" for i in range(20)) + ";"
    broken = tidy(statement + "\n")
    assert all(len(line) <= WIDTH for line in broken.split("\n"))
    assert "".join(broken.split()) == "".join(statement.split())


def test_lines_are_short() -> None:
    for graph in models():
        for text in render(graph).values():
            assert max(map(len, text.split("\n"))) <= 132


@pytest.mark.parametrize("compiler", [pytest.param("zig", marks=pytest.mark.emulator), "gcc"])
def test_host_compilers_accept_it(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    compile_all(compilers.for_host(compiler), "host", tmp_path)


@pytest.mark.system
@pytest.mark.parametrize(
    ("core", "compiler"),
    [(core, ("zig", "gcc")[i % 2]) for i, core in enumerate(sorted(CORTEX_M))]
    + [("cortex-m0plus", "gcc"), ("cortex-m55", "gcc")] * FULL,
)
def test_cortex_compilers_accept_it(core: str, compiler: str, tmp_path: Path) -> None:
    need("zig" if compiler == "zig" else "arm-none-eabi-gcc")
    compile_all(compilers.for_core(core, compiler), core, tmp_path)


def compile_all(compiler: compilers.Compiler, core: str, folder: Path) -> None:
    """The text of all models in one translation unit, where no two symbols may clash and none be unused."""
    text = ""
    for graph in models():
        sources = render(graph, core)
        (folder / f"{graph.name}.h").write_text(sources[f"{graph.name}.h"])
        text += sources[f"{graph.name}.c"]
    (folder / "all.c").write_text(text)
    command = [*compiler.command, *compiler.compile, "-c", "all.c", "-o", "all.o"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    assert "warning" not in done.stderr
