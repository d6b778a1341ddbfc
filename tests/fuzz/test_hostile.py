"""Reading `.et` files is reading untrusted input: what is wrong ends in an EdgeTernaryError with code 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgeternary
from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.ir.file import MAX_FILE_BYTES, to_bytes
from tests.fuzz.container import split
from tests.fuzz.hostile import hostile_files
from tests.registry.graphs import WHOLE, inputs, leaky, tiny_mlp

FILES = hostile_files()
MEMORY = 192 * 2**20  # that reading any of them may take beyond what the interpreter has


def refused(path: Path) -> EdgeTernaryError:
    with pytest.raises(EdgeTernaryError) as caught:
        edgeternary.load(path)
    assert caught.value.code == BAD_INPUT
    assert path.name in str(caught.value) and len(str(caught.value)) < 2000
    return caught.value


@pytest.mark.parametrize("name", sorted(FILES))
def test_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.et").write_bytes(FILES[name])
    refused(tmp_path / "m.et")


LOAD_ALL = """
import resource, sys
from pathlib import Path
import edgeternary
from edgeternary.errors import EdgeTernaryError
import edgeternary.ops
import safetensors.numpy
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        edgeternary.load(path)
    except EdgeTernaryError as error:
        assert error.code == 1
    except BaseException as error:
        print(path.name, type(error).__name__)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory limits are set through /proc")
def test_none_takes_much_memory(tmp_path: Path) -> None:
    names = sorted(FILES)
    for index, name in enumerate(names):
        (tmp_path / f"{index:04}.et").write_bytes(FILES[name])
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, str(tmp_path), str(MEMORY)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert not done.stdout, [names[int(line[:4])] + line[7:] for line in done.stdout.splitlines()]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "m.et").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    assert "a model has at most" in refused(tmp_path / "m.et").why


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.et")
    refused(tmp_path / "m.et")


def test_a_wrong_version_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "m.et").write_bytes(FILES["version 3"])
    error = refused(tmp_path / "m.et")
    assert "version is 3" in error.what and "versions 1 and 2" in error.why and "newer" in error.remedy


@settings(max_examples=150)
@given(data=st.data())
def test_flipped_bytes_never_raise_anything_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(to_bytes(data.draw(st.sampled_from([tiny_mlp, leaky]))()))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(content), tmp_path_factory.getbasetemp() / "flipped.et")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["fc1", "pixels", "x", "int8", "dense", "0.weights", -1, 0, 1, 2]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=200)
@given(data=st.data())
def test_changed_json_never_raises_anything_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parts = split(to_bytes(data.draw(st.sampled_from([*WHOLE, leaky]))()))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = parts.model
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.integers(0, 3)) == 0:
                break
            at = at[key]
        at[key] = data.draw(JSON)
        if not isinstance(parts.model.get("ops"), list):
            break
    survives(parts.join(), tmp_path_factory.getbasetemp() / "changed.et")


def survives(content: bytes, path: Path) -> None:
    """It loads and runs, or it is refused."""
    path.write_bytes(content)
    try:
        graph = edgeternary.load(path)
    except EdgeTernaryError as error:
        assert error.code == BAD_INPUT
        return
    if sum(value.size for value in graph.values.values()) < 10**6:
        edgeternary.run.run(graph, inputs(graph, 3, steps=2))
