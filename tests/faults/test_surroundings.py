"""Two builds of one folder at the same time; no home, no terminal, no locale; letters and spaces in paths;
tools that are broken, of another version, or not there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary import cli
from edgeternary.build import files
from edgeternary.build.files import write_file, write_folder
from edgeternary.errors import BAD_INPUT, TOOL_MISSING, EdgeTernaryError
from edgeternary.ir.file import save
from edgeternary.toolchains import cache, catalog
from tests.faults.small import small

Made = dict[str, bytes | str]


def content(folder: Path) -> Made:
    return {path.name: path.read_text() for path in folder.iterdir()}


def call(folder: Path, *arguments: str, env: dict[str, str] | None = None, **options: object) -> str:
    """What a process says; it must end with 0."""
    given = dict(os.environ) if env is None else env
    given = {**given, "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)}
    command = [sys.executable, "-m", "edgeternary", *arguments]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, timeout=60, **options)  # type: ignore[call-overload]
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0 and "Traceback" not in said, said
    return said


@pytest.mark.parametrize("exchange", [True, False])
def test_two_builds_of_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    """Readers find one of both, whole; where folders can be exchanged in one step, at every moment."""
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    elif sys.platform != "linux":
        pytest.skip("folders are exchanged in one step on Linux alone")
    folder = tmp_path / "out"
    sides: list[Made] = [{name: f"{side} {name}" for name in ("a", "b", files.MARKER)} for side in "xy"]
    write_folder(folder, sides[0])
    failures: list[BaseException] = []
    until = time.monotonic() + 0.7

    def build(made: Made) -> None:
        try:
            while time.monotonic() < until:
                write_folder(folder, made)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=build, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    while time.monotonic() < until and exchange:
        try:
            names = {path.name for path in folder.iterdir()}
        except FileNotFoundError:  # it was replaced and removed between open and read
            names = set()
        assert names <= set(sides[0])
    for thread in threads:
        thread.join()
    assert failures == [] and content(folder) in sides
    assert list(tmp_path.iterdir()) == [folder]


def test_what_a_killed_build_left_is_removed_a_day_later(tmp_path: Path) -> None:
    for name in (".out.abc", ".out.new", ".other.abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("x")
    long_ago = time.time() - 2 * 86400
    for name in (".out.abc", ".other.abc"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    write_folder(tmp_path / "out", {files.MARKER: "{}"})
    assert {path.name for path in tmp_path.iterdir()} == {"out", ".out.new", ".other.abc"}


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", ".."])
def test_no_file_is_written_outside_of_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(EdgeTernaryError, match="leads out of the folder"):
        write_folder(tmp_path / "out", {name: "x", files.MARKER: "{}"})
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for text in ("1", "2"):
        write_folder(tmp_path / "link", {files.MARKER: text})
    assert (tmp_path / "link").is_symlink() and content(tmp_path / "real") == {files.MARKER: "2"}
    assert {path.name for path in tmp_path.iterdir()} == {"real", "link"}


def test_a_folder_that_nobody_may_write_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root
    for write in (
        lambda: write_file(tmp_path / "f", "x"),
        lambda: write_folder(tmp_path / "out", {files.MARKER: "{}"}),
    ):
        with pytest.raises(EdgeTernaryError, match="is read-only"):
            write()
    assert list(tmp_path.iterdir()) == []


def test_nobody_has_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")

    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(EdgeTernaryError, match=r"no home.*XDG_CACHE_HOME"):
        cache.directory()


def test_no_home_no_terminal_no_locale(tmp_path: Path) -> None:
    """Letters beyond ASCII in names and paths are no obstacle where the locale has none of them."""
    folder = tmp_path / "größe 模型 'q' \"d\" $x"
    folder.mkdir()
    save(small(), folder / "netz ü.et")
    bare = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    options = {"stdin": subprocess.DEVNULL, "start_new_session": True}
    for line in (
        "inspect",
        "compile --core m4 -o o_ü",
        "export --to onnx -o x_ü.onnx",
        "simulate --on numpy,host",
    ):
        verb, *rest = line.split()
        if "onnx" in rest:
            pytest.importorskip("onnx")
        call(folder, verb, "netz ü.et", *(rest if verb != "simulate" else ()), env=bare, **options)
    assert {path.name for path in folder.iterdir()} == {"netz ü.et", "o_ü", "x_ü.onnx"}
    call(folder, "verify-build", "o_ü", env=bare, **options)


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_stream_that_is_closed(tmp_path: Path, closed: int) -> None:
    save(small(), tmp_path / "n.et")
    call(tmp_path, "compile", "n.et", "--core", "m4", "-o", "out", preexec_fn=lambda: os.close(closed))
    assert (tmp_path / "out/edgeternary.json").is_file()


TOOLS = {
    "not a program": (b"\x00\x01\x02", "cannot start"),
    "ends at once": (b"#!/bin/sh\nexit 1\n", "exited with 1"),
    "crashes": (b"#!/bin/sh\nkill -SEGV $$\n", "SIGSEGV"),
    "writes nothing": (b"#!/bin/sh\nexit 0\n", ""),
    "another program": (
        b"#!/bin/sh\necho 'gcc (wrong) 2.95'; echo \"error: unknown option\" >&2; exit 4\n",
        "exited",
    ),
}


@pytest.mark.parametrize("kind", TOOLS)
def test_a_broken_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    text, said = TOOLS[kind]
    program = tmp_path / "bin/arm-none-eabi-gcc"
    program.parent.mkdir()
    program.write_bytes(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save(small(), tmp_path / "n.et")
    catalog.find.cache_clear()
    try:
        code = cli.call(
            ["compile", str(tmp_path / "n.et"), "--core", "m4", "--compiler", "gcc", "--build", "-o",
             str(tmp_path / "out")]
        )  # fmt: skip
    finally:
        catalog.find.cache_clear()
    error = capsys.readouterr().err
    assert code == BAD_INPUT and said in error and error.count("error: ") >= 1, error
    assert "Traceback" not in error and "unexpected" not in error
    assert not (tmp_path / "out").exists()


def test_no_compiler_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save(small(), tmp_path / "n.et")
    catalog.find.cache_clear()
    try:
        build = ["--compiler", "gcc", "--build", "-o", str(tmp_path / "out")]
        code = cli.call(["compile", str(tmp_path / "n.et"), "--core", "m4", *build])
    finally:
        catalog.find.cache_clear()
    assert code == TOOL_MISSING and "install it with" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


WRITERS: dict[str, Callable[[Path], object]] = {
    "a model": lambda path: save(small(), path),
    "a file": lambda path: write_file(path, b"x" * 100),
}


@pytest.mark.parametrize("what", WRITERS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_device_that_is_full(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, and no other."""
    path = tmp_path / "old"
    path.write_bytes(b"old")
    real = os.fdopen

    def full(handle: int, mode: str) -> object:
        os.dup2(os.open("/dev/full", os.O_WRONLY), handle)
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        WRITERS[what](path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
