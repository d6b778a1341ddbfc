"""A command that meets a fault at each of its file operations in turn.

python -m tests.faults.moments FOLDER FAULT,FAULT COMMAND...   in FOLDER; prints one JSON object
FAULT/N looks at each N-th operation.

Faults: killed (kill -9 just before the operation), full (it raises ENOSPC), readonly (EROFS), short (no file
can grow beyond some bytes). The command runs in forks of this process, which has imported everything.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from edgeternary import cli

EVENTS = (
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.truncate",
)
REMOVALS = ("os.remove", "os.rmdir")  # which need no space
NUMBERS = {"full": errno.ENOSPC, "readonly": errno.EROFS}
SIZES = (0, 1, 100, 1000, 3000, 10_000, 30_000)  # bytes that a file may have
MOST = 200  # operations of a command
KILLED = 137
TEMPORARY = (".partial", ".ckpt")
EACH = 5  # after each fifth kill the command runs again
Files = dict[str, str]
_FILE = tempfile.NamedTemporaryFile()  # noqa: SIM115 # a child that meets the fault writes to it
REACHED = _FILE.fileno()


def watch(folder: str, fault: str, at: int) -> None:
    """Let the operation `at` (0 is the first) that changes something in `folder` fail, or the process die."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event in EVENTS and (fault == "killed" or event not in REMOVALS):
            path = arguments[0]
        else:
            return
        if isinstance(path, int) or not Path(os.fsdecode(path)).absolute().is_relative_to(folder):
            return
        seen += 1
        if seen == at + 1:
            os.write(REACHED, b"x")
            if fault == "killed":
                os._exit(KILLED)
            raise OSError(NUMBERS[fault], os.strerror(NUMBERS[fault]))

    sys.addaudithook(hook)


def forked(folder: Path, fault: str, at: int, command: list[str]) -> tuple[int, str]:
    """Exit code and what was said to stderr."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        with os.fdopen(read, encoding="utf-8", errors="replace") as stream:
            said = stream.read()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said
    code = 99
    try:
        os.dup2(write, 1)
        os.dup2(write, 2)
        if fault == "short":
            resource.setrlimit(resource.RLIMIT_FSIZE, (SIZES[at], SIZES[at]))
        elif fault:
            watch(str(folder), fault, at)
        code = cli.call(command)
        sys.stderr.flush()
        sys.stdout.flush()
    finally:
        os._exit(code)


def content(folder: Path) -> dict[str, str]:
    """{path: content} of the files, but those of the cache; those of training without figures of time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith("cache/"):
            data = path.read_bytes()
            found[name] = (re.sub(rb"\d+\.\d+", b"#", data) if name.startswith("trained/") else data).hex()
    return found


def visible(files: Files) -> Files:
    """Without temporary files, which a kill leaves."""
    return {n: data for n, data in files.items() if "/." not in f"/{n}" and not n.endswith(TEMPORARY)}


def mixed(now: Files, before: Files, after: Files) -> list[str]:
    """What is wrong: a file that is neither as before nor as after, or a folder that is a mixture of both.

    Training writes a file after the other, and its card last.
    """
    now = visible(now)
    wrong = [name for name in now if now[name] not in (before.get(name), after.get(name))]
    wrong += [f"{name} is lost" for name in before if name in after and name not in now]
    for folder in {name.split("/")[0] for name in now if "/" in name} - {"trained"}:
        own = [{n: t for n, t in side.items() if n.startswith(f"{folder}/")} for side in (now, before, after)]
        if own[0] not in own[1:]:
            wrong.append(f"{folder} is a mixture")
    return wrong


def main(folder: Path, faults: list[str], command: list[str]) -> dict[str, Any]:
    """{fault: operations, exit codes, and what is wrong}, and the files that the command makes."""
    pristine = folder.with_name("pristine")
    shutil.copytree(folder, pristine)
    before = content(folder)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        assert cli.call(command) == 0, said.getvalue()
    after = content(folder)
    found = {fault: faulty(folder, fault, command, (before, after)) for fault in faults}
    return {"made": sorted(name for name in after if after[name] != before.get(name)), **found}


def faulty(folder: Path, fault: str, command: list[str], sides: tuple[Files, Files]) -> dict[str, Any]:
    """operations, exit codes, and (operation, what is wrong, what was said) of a fault at each operation."""
    before, after = sides
    wrong: list[Any] = []
    codes, at = set(), 0
    fault, _, stride = fault.partition("/")
    for at in range(0, len(SIZES) if fault == "short" else MOST, int(stride or 1)):
        shutil.rmtree(folder)
        shutil.copytree(folder.with_name("pristine"), folder)
        os.chdir(folder)
        code, said = forked(folder, fault, at, command)
        now = content(folder)
        if fault != "short" and not os.fstat(REACHED).st_size:
            if code or now != after:
                wrong.append((at, "without a fault", said))
            break
        os.truncate(REACHED, 0)
        codes.add(code)
        found = mixed(now, before, after)
        if fault == "killed":
            again, more = forked(folder, "", 0, command) if at % EACH == 0 else (0, "")
            if again or (at % EACH == 0 and visible(content(folder)) != after):
                found.append(f"a second run ends with {again}: {more}")
        else:
            found += [f"{name} stays" for name in now if name not in before and name not in after]
            if code == 0 and now != after:
                found.append("it ends well, with other files")
            if code and (said.count("error: ") != 1 or "Traceback" in said or "unexpected" in said):
                found.append("no clear error")
        if found:
            wrong.append((at, found, said))
    return {"operations": at, "codes": sorted(codes), "wrong": wrong}


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    print(json.dumps(main(Path(sys.argv[1]).absolute(), sys.argv[2].split(","), sys.argv[3:])))
