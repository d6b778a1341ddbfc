"""The report in headless Chromium: axe finds nothing serious in light and dark, at 375 and 1280 pixels."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import edgeternary
from edgeternary.report.html.against import against
from edgeternary.report.html.document import document
from edgeternary.report.html.page import page
from edgeternary.report.tiny import tiny_graph
from edgeternary.toolchains import find
from tests.need import need
from tests.report.nets import EVIL, residual

WIDTHS = (375, 1280)
FAULTY, FAULT = "faulty", "p { color: #777; background: #888; }"
SCHEMES = {"light": "1", "dark": "0"}  # Chromium's numbers
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
ASK = """
for (const part of document.querySelectorAll("details")) part.open = true;
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const over = document.documentElement.scrollWidth - innerWidth;
axe.run(document, {resultTypes: ["violations"]}).then(found => parent.postMessage({
  page: PAGE, width: innerWidth, dark: dark, over: over, rules: found.passes.length,
  wrong: found.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html)]),
}, "*"));
"""
OUTER = """<!doctype html><title>pages</title><pre id="found"></pre><script>
const found = [];
addEventListener("message", event => {
  found.push(event.data);
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script>"""


def measured(found: dict[str, Any]) -> dict[str, Any]:
    """The document with every section filled, as --measure and --against fill it."""
    row = {"executor": "host", "samples": 1000, "mismatches": 0, "digest": "ab" * 32}
    wrong = {"executor": "cortex-m4", "samples": 1000, "mismatches": 3, "digest": "cd" * 32}
    labels = ["t-shirt", "trouser", "ankle boot"]
    matrix = [[300, 30, 3], [2, 330, 1], [0, 0, 334]]
    right = {"accuracy": 0.964, "samples": 1000, "labels": labels, "confusion": matrix, "source": "a source"}
    accuracy = {**right, "trained": 0.75}
    return {**found, "exactness": [row, wrong], "accuracy": accuracy}


def pages() -> dict[str, str]:
    first = document(edgeternary.compile(residual(EVIL, title=EVIL[4]), board="nucleo_l476rg"))
    other = document(edgeternary.compile(tiny_graph(), board="nucleo_l476rg"))
    design = document(edgeternary.compile(residual(), device="up5k"))
    whole = measured(first)
    full = page({**whole, "against": against(first, other)})
    return {"c": full, "fpga": page(measured(design)), FAULTY: full.replace("</style>", f"{FAULT}</style>")}


@pytest.fixture(scope="module")
def outer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that holds each report at each width, and collects what axe says of it."""
    need("amaranth", "chromium", "axe-core")
    folder = tmp_path_factory.mktemp("pages")
    axe = (Path(find("axe-core").where) / "axe.min.js").read_text(encoding="utf-8")
    frames = ""
    for name, text in pages().items():
        assert text.count(POLICY) == 1
        script = f"<script>{axe}</script><script>{ASK.replace('PAGE', json.dumps(name))}</script></body>"
        open_page = text.replace(POLICY, "default-src 'unsafe-inline'").replace("</body>", script)
        (folder / f"{name}.html").write_text(open_page, encoding="utf-8")
        for width in WIDTHS:
            frames += f'<iframe src="{name}.html" width="{width}" height="900" title="{name}"></iframe>'
    (folder / "outer.html").write_text(OUTER + frames, encoding="utf-8")
    return folder / "outer.html"


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(outer: Path, scheme: str, tmp_path: Path) -> None:
    chromium = find("chromium").command
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    flags += [f"--user-data-dir={tmp_path}", "--window-size=1400,900", "--virtual-time-budget=60000"]
    flags += [f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", "--dump-dom"]
    done = subprocess.run(
        [*chromium, *flags, outer.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    (text,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    found = json.loads(html.unescape(text))
    assert sorted((row["page"], row["width"]) for row in found) == [
        (name, width) for name in ("c", FAULTY, "fpga") for width in WIDTHS
    ]

    for row in found:
        assert row["dark"] == (scheme == "dark")
        assert row["over"] <= 0, "the page is wider than the screen"
        assert row["rules"] > 15
        serious = {rule[1] for rule in row["wrong"] if rule[0] in ("serious", "critical")}
        assert serious == ({"color-contrast"} if row["page"] == FAULTY else set()), row
