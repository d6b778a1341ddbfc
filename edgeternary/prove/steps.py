"""What the certificate says about files and tools."""

from __future__ import annotations

import hashlib
import importlib.metadata
from typing import TYPE_CHECKING

from edgeternary.hdl.tools.yosys import choose
from edgeternary.toolchains import find
from edgeternary.version import __version__

if TYPE_CHECKING:
    from edgeternary.prove.subject import Subject

TOOLS = ("yosys-abc", "nextpnr-ice40", "icebox_vlog")


def digest(content: str | bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def versions(subject: Subject) -> dict[str, str]:
    """{tool: version} of what a proof goes through."""
    used = choose(subject.yosys)
    found = {
        "edgeternary": __version__,
        "numpy": importlib.metadata.version("numpy"),
        used.name: used.version,
    }
    return found | {name: find(name).version for name in TOOLS if find(name).found}
