"""Writes what yosys makes of the demo's designs into zoo/hardware: python -m tests.golden.shipped

It takes a minute with the yosys of the Python package, whose headers the simulators of the demo have.
"""

import json
import lzma
import tempfile
from pathlib import Path

from edgeternary import zoo
from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.tools import shipped, synthesis, yosys
from edgeternary.ir.names import identifier
from edgeternary.report.demo import DEVICE, MODELS
from edgeternary.run.cxxrtl import cxxrtl_script
from edgeternary.toolchains import cache

TOOL = "yowasp"


def written(top: str, text: str) -> str:
    """The C++ that yosys writes now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "design.il").write_text(text, encoding="utf-8")
        yosys.yosys(cxxrtl_script(top), what=f"writing C++ of {top}", folder=folder, tool=TOOL)
        return (folder / "design.cpp").read_text(encoding="utf-8")


def entry(top: str, text: str) -> dict[str, dict[str, object]]:
    """The content of `<top>.json`."""
    script = synthesis.synthesis_script(synthesis.family(DEVICE), top, synthesis.READ)
    headers = yosys.cxxrtl_headers(TOOL)
    return {
        "synthesis": {
            "digest": cache.digest(text, script),
            "figures": synthesis.count_cells(text, top, DEVICE, TOOL),
        },
        "cxxrtl": {
            "digest": shipped.cxxrtl_digest(text, cxxrtl_script(top), headers),
            "yosys": yosys.version(TOOL),
        },
    }


def main() -> None:
    shipped.folder().mkdir(exist_ok=True)
    for model in MODELS:
        graph = zoo.load(model)
        top, text = identifier(graph.name), rtlil(graph)
        content = json.dumps(entry(top, text), indent=2) + "\n"
        (shipped.folder() / f"{top}.json").write_text(content, encoding="utf-8")
        (shipped.folder() / f"{top}.cpp.xz").write_bytes(lzma.compress(written(top, text).encode(), preset=9))
        print(top, content)


if __name__ == "__main__":
    main()
