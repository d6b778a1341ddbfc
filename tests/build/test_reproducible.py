"""The same model, options and tools give the same bytes on another day, in another folder, for another user.

Each target is compiled twice with empty caches. Between the two differ: the folder (one has a space and a
letter beyond ASCII), home, cache, the seed of hashes, time zone, locale, umask, threads, and the date,
by a library in front of the C library's clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeternary.ir.file import save
from edgeternary.ops import build
from edgeternary.report.tiny import tiny_graph
from edgeternary.toolchains import cache as builds
from tests.faults.small import small
from tests.need import need

pytestmark = [pytest.mark.slow, pytest.mark.system]

SCRIPT = """
import json, sys
from edgeternary import cli
for arguments in json.loads(sys.argv[1]):
    if code := cli.call(arguments):
        sys.exit(code)
"""
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, t);
    if (id == CLOCK_REALTIME)
        t->tv_sec += 400 * 86400;
    return result;
}
time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
HERE = {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
THERE = {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "2"}
OWN_BOARD = "mine.toml"


def compiled(folder: Path, user: dict[str, str], umask: int, calls: list[list[str]]) -> dict[str, bytes]:
    """{file: content} below out/ after the calls of the command line in `folder`, with an empty cache."""
    (folder / "out").mkdir(parents=True)
    save(tiny_graph(), folder / "tiny.et")
    save(small(), folder / "small.et")
    (folder / OWN_BOARD).write_text(
        (Path(build.__file__).parents[1] / "boards/nucleo_f446re.toml").read_text()
    )
    zig = folder / "cache/edgeternary/zig"
    zig.mkdir(parents=True)
    (zig / "global").symlink_to(builds.zig_environment()["ZIG_GLOBAL_CACHE_DIR"])  # of zig's own sources
    env = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), **user}
    env["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(calls)], cwd=folder, env=env, umask=umask,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = folder / "out"
    found = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    for path in made.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~umask, path
    return found


def twice(tmp_path: Path, *targets: str) -> dict[str, bytes]:
    """The files of all targets; AssertionError where one depends on where and when it is made."""
    need("gcc")
    library = tmp_path / "clock.so"
    (tmp_path / "clock.c").write_text(CLOCK)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True)
    calls = [["compile", *line.split(), "-o", f"out/{k}"] for k, line in enumerate(targets)]
    first = compiled(tmp_path / "here", HERE, 0o022, calls)
    second = compiled(tmp_path / "über dort", {**THERE, "LD_PRELOAD": str(library)}, 0o077, calls)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    places = (str(tmp_path), str(Path(sys.prefix)), str(Path(build.__file__).parents[2]))
    named = [(name, place) for name, data in first.items() for place in places if place.encode() in data]
    assert named == [], "a folder of this machine"
    return first


@pytest.mark.emulator
def test_c_objects_and_images(tmp_path: Path) -> None:
    need("zig", "arm-none-eabi-gcc", "unicorn", "capstone")
    found = twice(
        tmp_path,
        "tiny.et --core host --build",
        "tiny.et --board pico",
        "tiny.et --board ./mine.toml --opt-level s",
        "tiny.et --core m0plus --build --compiler gcc",
    )
    ends = {name.rpartition(".")[2] for name in found}
    assert {"c", "h", "o", "elf", "hex", "bin", "uf2", "et", "json", "html", "md", "toml"} <= ends


def test_verilog(tmp_path: Path) -> None:
    need("amaranth")
    found = twice(tmp_path, "tiny.et --device up5k", "tiny.et --board icebreaker --no-build")
    assert {"0/tiny.v", "0/tiny_tb.v", "1/top.v", "1/top.pcf"} <= found.keys()


def test_a_bitstream(tmp_path: Path) -> None:
    need("amaranth", "amaranth-boards", "yosys", "nextpnr-ice40", "icepack")
    found = twice(tmp_path, "small.et --board icebreaker --yosys native")
    assert len(found["0/design.bin"]) > 10_000
