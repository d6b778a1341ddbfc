"""Finding tools, running them, compiling with them, and the cache of builds."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.toolchains import CATALOG, ToolSpec, all_tools, cache, compilers, find, require, run
from tests.need import need

PYTHON = sys.executable


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds go to a cache of the test's own, except where zig would have to build its libraries again."""
    if request.node.get_closest_marker("emulator") is None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_tool_says_how_to_get_it() -> None:
    tools = all_tools()
    assert [tool.name for tool in tools] == list(CATALOG)
    for tool in tools:
        assert tool.install and tool.needed_by
        assert bool(tool.where) == tool.found == bool(tool.version) and (tool.found or tool.tried)


def test_a_missing_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ToolSpec("nosuch", "pip install nosuch", "nobody", ("nosuch-program",), "nosuch_package")
    monkeypatch.setitem(CATALOG, "nosuch", spec)
    with pytest.raises(
        EdgeTernaryError, match=r"nosuch-program on PATH, Python package.*pip install nosuch"
    ) as error:
        require("nosuch")
    assert error.value.code == TOOL_MISSING


def test_data_of_a_system_package(tmp_path: Path) -> None:
    data = tmp_path / "sound.wav"
    spec = ToolSpec("sounds", "apt install sounds", "a test", files=("/nowhere/sound.wav", str(data)))
    assert not spec.locate().found and str(data) in spec.locate().tried
    data.touch()
    assert spec.locate().found and spec.locate().where == str(data)


def test_an_unknown_tool() -> None:
    with pytest.raises(EdgeTernaryError, match="no tool is called"):
        find("nosuch tool")


def test_program_in_path_and_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "atool"
    script.write_text("#!/bin/sh\necho 'atool (Vendor 9.9-1) 3.14.1 2026'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    tool = ToolSpec("atool", "", "", ("missing-one", "atool")).locate()
    assert (tool.where, tool.version, tool.command) == (str(script), "3.14.1", (str(script),))


def test_run_gives_output_and_no_input() -> None:
    assert run([PYTHON, "-c", "import sys; print(sys.stdin.read() + 'end')"], what="a test") == "end\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('boom'); raise SystemExit(7)", r"a test failed.*exited with 7:\nboom"),
        ("import os; os.kill(os.getpid(), 9)", "signal SIGKILL"),
        ("import time; time.sleep(60)", "did not finish"),
    ],
)
def test_run_errors(code: str, message: str) -> None:
    start = time.monotonic()
    with pytest.raises(EdgeTernaryError, match=f"(?s){message}"):
        run([PYTHON, "-c", code], what="a test", timeout=1.0 if "sleep" in code else 60.0)
    assert time.monotonic() - start < 20


def test_a_limit_ends_children_too(tmp_path: Path) -> None:
    child = "import time, pathlib; time.sleep(1.2); pathlib.Path('alive').touch()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(EdgeTernaryError, match="did not finish"):
        run([PYTHON, "-c", code], what="a test", timeout=0.7, cwd=tmp_path)
    time.sleep(1)
    assert not (tmp_path / "alive").exists()


def test_builds_are_complete_or_absent() -> None:
    calls = []

    def fill(folder: Path, fail: bool) -> None:
        calls.append(folder)
        (folder / "half").write_text("x")
        if fail:
            raise ValueError

    with pytest.raises(ValueError):
        cache.build("key", lambda folder: fill(folder, True))
    assert list((cache.directory() / "builds").iterdir()) == []
    first = cache.build("key", lambda folder: fill(folder, False))
    assert cache.build("key", lambda folder: fill(folder, False)) == first and len(calls) == 2
    assert (first / "half").read_text() == "x"


def test_the_slower_of_two_processes_takes_the_other_one_s_build() -> None:
    def slow(folder: Path) -> None:
        (folder / "product").write_text("slow")
        cache.build("key", lambda other: Path.write_text(other / "product", "fast") and None)

    assert (cache.build("key", slow) / "product").read_text() == "fast"
    assert len(list((cache.directory() / "builds").iterdir())) == 1


def test_no_place_for_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(EdgeTernaryError, match="XDG_CACHE_HOME"):
        cache.directory()


def test_old_builds_go() -> None:
    cache._prune.cache_clear()
    old = cache.build("old", lambda folder: None)
    kept = cache.build("kept", lambda folder: None)
    os.utime(old, (0, 0))
    cache._prune.cache_clear()
    cache.build("new", lambda folder: None)
    assert not old.exists() and kept.exists()


def test_digest_depends_on_borders() -> None:
    assert cache.digest("ab", "c") != cache.digest("a", "bc") != cache.digest("abc")


def test_unknown_settings() -> None:
    for call in (
        lambda: compilers.for_core("cortex-a53"),
        lambda: compilers.for_core("cortex-m4", "tcc"),
        lambda: compilers.for_host(optimize="9"),
    ):
        with pytest.raises(EdgeTernaryError) as error:
            call()
        assert error.value.code == USAGE


@pytest.mark.system
def test_a_rebuild_is_the_same_folder() -> None:
    need("gcc")
    gcc = compilers.for_host("gcc")
    source = {"main.c": "int main(void)\n{\n    return NUMBER;\n}\n"}
    first = compilers.build(gcc, source, defines=("NUMBER=0",))
    assert compilers.build(gcc, source, defines=("NUMBER=0",)) == first
    other = compilers.build(gcc, source, defines=("NUMBER=3",))
    assert other != first
    assert run([first], what="first") == ""
    with pytest.raises(EdgeTernaryError, match="exited with 3"):
        run([other], what="other")


@pytest.mark.system
def test_what_programs_share_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object of two programs; one that includes what it does not share is an error."""
    need("gcc")
    compiled: list[str] = []

    def spied(command: list[str], **options: object) -> str:
        compiled.extend(word for word in map(str, command) if word.endswith(".c"))
        return run(command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(compilers, "run", spied)
    gcc, shared = compilers.for_host("gcc"), {"half.c": '#include "half.h"\n', "half.h": "int half(int x);\n"}
    shared["half.c"] += "int half(int x)\n{\n    return x / 2;\n}\n"
    for number in (2, 8):
        main = f'#include "half.h"\nint main(void)\n{{\n    return half({number}) - {number // 2};\n}}\n'
        program = compilers.build(gcc, {"main.c": main, **shared}, shared=shared)
        assert run([program], what="main") == ""
    assert compiled == ["half.c", "main.c", "main.c"]
    with pytest.raises(EdgeTernaryError, match=r"half\.h: No such file"):
        compilers.build(gcc, {"main.c": main, **shared}, defines=("NEW",), shared=["half.c"])


@pytest.mark.parametrize(
    "compiler",
    (pytest.param("zig", marks=pytest.mark.emulator), pytest.param("gcc", marks=pytest.mark.system)),
)
@pytest.mark.parametrize(
    ("core", "body"),
    [
        ("cortex-m4", "return x * 3.0f"),  # -Wconversion: float to int
        ("cortex-m0plus", "unsigned char c = x; return c"),  # narrowing
        ("cortex-m33", "int unused; return x"),
        ("cortex-m3", "return (int){ x } + __extension__ ({ x; }) + 0b11"),  # not C99
    ],
)
def test_warnings_are_errors(compiler: str, core: str, body: str) -> None:
    need("zig" if compiler == "zig" else "arm-none-eabi-gcc")
    script = "ENTRY(f)\nSECTIONS { .text : { *(.text*) } /DISCARD/ : { *(.ARM.*) *(.debug*) } }\n"
    text = "int f(int x);\nint f(int x)\n{\n    %s;\n}\n"
    chosen = compilers.for_core(core, compiler)
    with pytest.raises(EdgeTernaryError, match=r"a\.c:4"):
        compilers.build(chosen, {"a.c": text % body}, link_script=script)
    assert compilers.build(chosen, {"a.c": text % "return x"}, link_script=script).is_file()
