"""Every command of README, the starting pages and the how-to pages runs, and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands import ROOT, blocks, commands, pages, plain, renewed, walked
from tests.need import need

NEEDS = {
    "README": ("amaranth", "torch"), "ml": ("torch",), "embedded": ("gcc", "qemu-system-arm"),
    "fpga": ("amaranth", "iverilog", "verilator"), "two-networks": ("gcc",), "calling": ("gcc",),
    "litex-vivado": ("amaranth", "iverilog", "verilator"), "input-codes": ("torch",),
    "training-loop": ("torch",), "folding": ("amaranth",),
}  # fmt: skip
PAGE = """
```c title="a.txt"
one
```

```console
$ cat a.txt
one
$ echo 1 2; \\
  echo 3
9  9
9
```
<!-- not run: minutes -->
```console
$ sleep 100
```
"""


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.emulator
@pytest.mark.system
@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_commands_of(path: Path, tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone", *NEEDS.get(path.stem, ()))
    for _, ran in walked(path.read_text(), tmp_path):
        for command, printed in ran:
            renew = f"python -m tests.docs.commands {path.relative_to(ROOT)}"
            assert plain(command.printed) == plain(printed), f"{command.text}: renew the page with {renew}"


def test_every_block_that_is_not_run_says_why() -> None:
    for path in pages():
        for block in blocks(path.read_text()):
            shell = block.language in ("", "sh", "bash", "shell") or block.text.startswith("$ ")
            assert not shell or block.language == "console", f"{path.name}, line {block.start}"


def test_a_page_is_read_as_a_reader_types_it(tmp_path: Path) -> None:
    ran = [(c.text, c.printed, out) for _, found in walked(PAGE, tmp_path) for c, out in found]
    assert ran == [("cat a.txt", "one", "one"), ("echo 1 2; \\\n  echo 3", "9  9\n9", "1 2\n3")]
    assert [len(commands(block)) for block in blocks(PAGE) if block.language == "console"] == [2, 1]
    assert "echo 3\n1 2\n3\n```" in renewed(PAGE, tmp_path)


def test_a_command_that_fails_is_seen(tmp_path: Path) -> None:
    failing = "```console\n$ false\n```\n"
    with pytest.raises(AssertionError, match="false\nends with 1"):
        list(walked(failing, tmp_path))
    assert list(walked(f"<!-- exit code 1: shown -->\n{failing}", tmp_path))


def test_numbers_may_differ_and_words_may_not() -> None:
    assert plain("cortex-m4   1,000  3.5 %\n") == plain("cortex-m4  22 4 %")
    assert plain("0 mismatches") != plain("0 samples")
