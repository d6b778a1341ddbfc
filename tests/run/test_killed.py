"""When Python is killed, with SIGKILL too, nothing that it started runs on: no compiler, no simulator."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._serial import Simulated
from edgeternary.toolchains import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

# A program that starts another one, as a compiler's driver does; both write down who they are.
PROGRAM = """#!/bin/sh
sleep 600 &
echo $! > "$0.inner"
echo $$ > "$0.new" && mv "$0.new" "$0.outer"
sleep 601
"""

START = """
import sys
from pathlib import Path
program = sys.argv[1]
"""
WAYS = {
    "a tool": """
from edgeternary.run._serial import Simulated
from edgeternary.toolchains import run
run([program], what="working")
""",
    "a simulator": """
from edgeternary.run._compiled import _watch
from edgeternary.run._options import Options
_watch([program], Path(program).parent, 1, Options())
""",
    "a serial port": """
from edgeternary.run._serial import Simulated
with Simulated(Path(program)) as port:
    port.read(600)
""",
    "an emulator": """
from edgeternary.emulate.process import started
with started([program], Path(program).parent, "emulator") as process:
    process.wait()
""",
    "a session": """
from edgeternary.toolchains import Child
import subprocess
with Child([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
    process.stdout.read()
""",
    "a pool": """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from edgeternary.run._serial import Simulated
from edgeternary.toolchains import run
from edgeternary.toolchains.child import end_with_parent
if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent) as pool:
        pool.submit(run, [program], what="working").result()
""",
}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "program"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    yield path
    for end in ("outer", "inner"):  # of a test that failed
        file = path.with_name(f"program.{end}")
        if file.exists() and running(int(file.read_text())):
            os.kill(int(file.read_text()), signal.SIGKILL)


def running(pid: int) -> bool:
    """Whether a process is there and not merely a row that waits to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def host(program: Path, script: str) -> subprocess.Popen[bytes]:
    file = program.with_name("host.py")
    file.write_text(START + script)
    command = [sys.executable, str(file), str(program)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize(
    ("way", "how"),
    [
        *((way, signal.SIGKILL) for way in WAYS),
        *((way, how) for way in ("a tool", "a pool") for how in (signal.SIGTERM, signal.SIGINT)),
        ("an emulator", signal.SIGTERM),
    ],
)
def test_nothing_outlives_python(program: Path, way: str, how: signal.Signals) -> None:
    outer, inner = (program.with_name(f"program.{end}") for end in ("outer", "inner"))
    process = host(program, WAYS[way])
    try:
        assert until(outer.exists)
        pids = [int(file.read_text()) for file in (outer, inner)]
        assert all(map(running, pids))
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does, which names the whole group in front
        else:
            process.send_signal(how)
        process.wait(20)
        assert until(lambda: not any(map(running, pids)), 5), f"{pids} of {way} run on"
    finally:
        process.kill()
        process.wait()


RESTLESS = """
from edgeternary.errors import EdgeTernaryError
from edgeternary.run._serial import Simulated
from edgeternary.toolchains import run
Path(program + ".outer").touch()
while True:
    try:
        run([program + ".py"], what="working", timeout=0.002)
    except EdgeTernaryError:
        pass
"""


@pytest.mark.slow
def test_no_moment_is_too_early(tmp_path: Path) -> None:
    """Python is killed while it starts and ends programs, wherever it is then."""
    program = tmp_path / "program"
    script = Path(f"{program}.py")
    script.write_text("#!/bin/sh\nsleep 600\n")
    script.chmod(0o755)
    chance = random.Random(5)
    for _ in range(6):
        process = host(program, RESTLESS)
        assert until(Path(f"{program}.outer").exists)
        time.sleep(0.05 + chance.random() / 50)
        process.kill()
        process.wait()
        assert until(partial(is_empty, process.pid), 5)
        Path(f"{program}.outer").unlink()


def is_empty(session: int) -> bool:
    """Whether no process of a session runs, not even one that is about to become another program."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            leader = int(path.read_text().rpartition(")")[2].split()[3])
        except OSError:
            continue
        if leader == session and running(int(path.parent.name)):
            return False
    return True


def test_what_a_program_leaves_behind_ends_with_it(program: Path) -> None:
    """A driver that fails while its compilers still work."""
    with pytest.raises(EdgeTernaryError, match="compiling failed"):
        run(
            ["sh", "-c", f"{program} & while ! [ -e {program}.outer ]; do sleep .01; done; exit 1"],
            what="compiling",
        )
    pids = [int(program.with_name(f"program.{end}").read_text()) for end in ("outer", "inner")]
    assert until(lambda: not any(map(running, pids)), 5)


def test_a_program_that_is_not_there_leaves_no_guard() -> None:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = len(list(Path("/proc/self/fd").iterdir())), children.read_text().split()
    for _ in range(3):
        with pytest.raises(EdgeTernaryError, match="cannot start nothing-of-that-name"):
            run(["nothing-of-that-name"], what="working")
    assert (len(list(Path("/proc/self/fd").iterdir())), children.read_text().split()) == before


def test_a_serial_port_that_is_closed_ends_its_device(program: Path) -> None:
    with Simulated(program):
        assert until(program.with_name("program.outer").exists)
        pids = [int(program.with_name(f"program.{end}").read_text()) for end in ("outer", "inner")]
    assert until(lambda: not any(map(running, pids)), 5)
