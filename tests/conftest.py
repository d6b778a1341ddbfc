"""Set-up of every test: hypothesis profiles, the `need` helper, and the time that each marker took."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from edgeternary.toolchains import find
from tests import quick
from tests.need import REQUIRED
from tests.need import need as need_tool

MARKERS = ("emulator", "synth", "system", "torch", "slow")

settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

os.environ.setdefault("OMP_NUM_THREADS", "1")
if find("yosys").found:  # takes a third of the time of yosys in WebAssembly
    os.environ.setdefault("EDGETERNARY_YOSYS", "native")

quick.install()

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a job in the background, whose children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def need() -> Callable[..., None]:
    """The helper of tests/need.py, for tests that prefer a fixture to an import."""
    return need_tool


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--few", action="store_true", help="run one case of each quick test")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --few, files whose tests all have a marker are not imported, as most of them import torch."""
    if config.getoption("--few") and collection_path.name.startswith("test_"):
        if re.search(rf"^pytestmark = .*mark\.({'|'.join(MARKERS)})", collection_path.read_text(), re.M):
            return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note each test's markers where its report carries them; its keywords hold folder names too."""
    if config.getoption("--few"):
        items[:] = [item for item in items if not any(item.get_closest_marker(m) for m in MARKERS)]
        one = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        items[:] = [item for item in items if one[item.nodeid.partition("[")[0]] is item]
    for item in items:
        item.user_properties.append(("markers", [m for m in MARKERS if item.get_closest_marker(m)]))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """What collecting makes (thousands of tests, torch) stays, so the garbage collector need not look at it
    again and again: it takes a third of the time of a test that builds hardware otherwise."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds and tests by marker; set-up and tear-down included. Tests with two markers count twice."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                for marker in dict(report.user_properties).get("markers") or ["unmarked"]:
                    seconds[marker] += report.duration
                    tests[marker] += report.when == "call"
    if seconds:
        terminalreporter.section("time per marker")
        for marker, spent in seconds.most_common():
            terminalreporter.write_line(f"{marker:<10} {spent:8.1f} s  {tests[marker]:5d} tests")
    skipped = terminalreporter.stats.get("skipped", [])
    if REQUIRED and skipped:
        text = f"EDGETERNARY_REQUIRE_TOOLS=1, yet {len(skipped)} tests were skipped"
        terminalreporter.write_line(text, red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With EDGETERNARY_REQUIRE_TOOLS=1 a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if REQUIRED and reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
