"""The fuzzer of firmware/core/protocol.c: seconds of it find nothing, and a planted fault at once.

Ten minutes: python -m tests.fuzz.protocol 600
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from edgeternary.errors import EdgeTernaryError
from tests.fuzz import protocol
from tests.need import REQUIRED, need

pytestmark = pytest.mark.system
SECONDS = 3  # a hundred thousand executions


@pytest.fixture(autouse=True)
def _fuzzer() -> None:
    need("clang")
    try:
        protocol.build()
    except EdgeTernaryError as error:  # clang without its runtime
        (pytest.fail if REQUIRED else pytest.skip)(f"{error}; install it with: apt install libclang-rt-dev")


def test_nothing_is_found() -> None:
    status, text = protocol.run(protocol.build(), SECONDS)
    assert status == 0, text[-2000:]
    executions = re.search(r"stat::number_of_executed_units: *(\d+)", text)
    assert executions and int(executions[1]) > 10_000


def test_a_planted_fault_is_found() -> None:
    status, text = protocol.run(protocol.build(("PROTOCOL_PLANTED_FAULT",)), 60)
    assert status != 0 and "heap-buffer-overflow" in text and "keep" in text


def test_the_command_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.protocol", "1"], capture_output=True, timeout=120
    )
    assert done.returncode == 0 and b"number_of_executed_units" in done.stdout
