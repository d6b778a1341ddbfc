"""The header and the quantisers of models with several inputs and outputs."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.render import render
from edgeternary.ir import Graph
from edgeternary.ir.sensor import quantize
from tests.c.harness import WARNINGS
from tests.need import need
from tests.registry.several import several, two_heads

MAIN = """
#include "two_heads.c"
#include <stdio.h>

int main(void)
{
    float image[TWO_HEADS_IMAGE_SIZE], vector[TWO_HEADS_VECTOR_SIZE];
    uint8_t pixels[TWO_HEADS_IMAGE_SIZE];
    int8_t codes[TWO_HEADS_VECTOR_SIZE];

    while (fread(image, sizeof image, 1, stdin) == 1 && fread(vector, sizeof vector, 1, stdin) == 1) {
        two_heads_quantize_image(image, pixels);
        two_heads_quantize_vector(vector, codes);
        fwrite(pixels, sizeof pixels, 1, stdout);
        fwrite(codes, sizeof codes, 1, stdout);
    }
    return 0;
}
"""


def built(folder: Path, graph: Graph, core: str, *flags: str) -> None:
    for name, text in render(graph, core).items():
        (folder / name).write_text(text)
    source = folder / f"{graph.name}.c"
    found = subprocess.run(
        ["gcc", *flags, *WARNINGS[1:], "-c", source, "-o", folder / "x.o"], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("core", ["host", "cortex-m0plus"])
def test_no_compiler_warns(core: str, tmp_path: Path) -> None:
    need("gcc")
    for seed in range(6):
        built(tmp_path, several(seed), core, "-std=c99", "-DRANDOM_QUANTIZE", "-fsyntax-only")
    built(tmp_path, two_heads(), core, "-std=c99")


def test_the_header_is_c_plus_plus_too(tmp_path: Path) -> None:
    need("gcc")
    for name, text in render(two_heads()).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "use.cpp").write_text(
        '#include "two_heads.h"\nint main() { two_heads_t net; two_heads_reset(&net); }\n'
    )
    subprocess.run(["gcc", "-Wall", "-Werror", "-fsyntax-only", tmp_path / "use.cpp"], check=True)


def test_each_input_is_quantised_by_its_own_scales(tmp_path: Path) -> None:
    need("gcc")
    graph = two_heads()
    for name, text in render(graph, "host").items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(MAIN)
    command = ["gcc", "-std=c99", "-O1", "-DTWO_HEADS_QUANTIZE", "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    rng = np.random.default_rng(0)
    image, vector = rng.normal(0.5, 0.5, (40, 3, 2, 2)), rng.normal(0, 90, (40, 5))
    given = np.concatenate([image.reshape(40, -1), vector], axis=1).astype("<f4").tobytes()
    found = subprocess.run([tmp_path / "main"], input=given, capture_output=True, check=True).stdout
    codes = np.frombuffer(found, np.uint8).reshape(40, 17)
    np.testing.assert_array_equal(codes[:, :12], quantize(graph, image, "image").reshape(40, 12))
    np.testing.assert_array_equal(codes[:, 12:].view(np.int8), quantize(graph, vector, "vector"))
