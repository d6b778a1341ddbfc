"""The protocol's fuzzer, clang with libFuzzer: `python -m tests.fuzz.protocol SECONDS` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeternary.toolchains import compilers
from tests.firmware import host

MALLOC_MB, RSS_MB = 64, 512  # the fuzzer takes 62 MB
TARGET = Path(__file__).with_name("protocol_fuzz.c")


def build(defines: Sequence[str] = ()) -> Path:
    """The fuzzer, with address and undefined-behaviour checks."""
    checked = compilers.for_host("clang", sanitize=True)
    fuzzer = replace(
        checked,
        compile=(*checked.compile, "-fsanitize=fuzzer"),
        link=(*checked.link, "-fsanitize=fuzzer"),
    )
    sources = host.sources("serve.c")
    del sources["serve.c"]
    sources[TARGET.name] = TARGET.read_text(encoding="utf-8")
    return compilers.build(fuzzer, sources, defines=defines, what="the fuzzer of the protocol")


def seeds(folder: Path) -> None:
    """One input for each message, proper, damaged and too long."""
    inputs = {
        "hello": b"\1\2\x11\1",
        "reset": b"\1\2\x13\1",
        "cycles": b"\1\2\x14\1",
        "noise": b"\0\5\7abc\0",
    }
    inputs["run"] = bytes([1, 2 + host.INPUT, 0x12, 1]) + bytes(host.INPUT)
    inputs["echo"] = b"\1\6\x15\1abcd\1\2\x11\2"
    for name, content in inputs.items():
        (folder / name).write_bytes(content)


def run(program: Path, seconds: int, seed: int = 1) -> tuple[int, str]:
    """(exit status, what it printed last) after `seconds` seconds, or at the first failure."""
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        corpus = Path(name, "corpus")
        corpus.mkdir()
        seeds(corpus)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=1024", "-timeout=10"]
        options += ["-print_final_stats=1", f"-artifact_prefix={name}/"]
        # libFuzzer's own limit reads ru_maxrss, which exec keeps from the process that starts it.
        options += ["-rss_limit_mb=0", f"-malloc_limit_mb={MALLOC_MB}"]
        environment = {**os.environ, "ASAN_OPTIONS": f"hard_rss_limit_mb={RSS_MB}"}
        done = subprocess.run(
            [program, *options, corpus],
            capture_output=True, text=True, timeout=seconds + 120, cwd=name, env=environment,
        )  # fmt: skip
        return done.returncode, done.stderr


if __name__ == "__main__":
    status, text = run(build(), int(sys.argv[1]))
    print(text[-3000:])
    sys.exit(status)
