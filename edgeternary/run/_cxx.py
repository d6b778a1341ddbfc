"""Simulators out of CXXRTL's C++, compiled with zig, or with the gcc or clang of this machine.

A simulator that writes no waves has no exceptions and takes templates/hdl/lean.cpp in place of a C++ library:
zig would build that library from its source first, which takes a minute of CPU.
"""

from __future__ import annotations

from pathlib import Path

from edgeternary.data import templates_dir
from edgeternary.run import _wide
from edgeternary.toolchains import cache, compilers
from edgeternary.toolchains import run as start

BUILD_SECONDS = 3600.0  # a language model's C++ takes minutes
FLAGS = ("-std=c++17", "-O1", "-g0", "-w")
LEAN = (
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-D_LIBCPP_VERBOSE_ABORT(...)=__builtin_abort()",
)


def build(
    folder: Path, headers: Path, program: str, what: str, compiler: str = "auto", waves: bool = False
) -> None:
    """Makes `program` in `folder` out of its main.cpp, which includes its design.cpp.

    headers  the folder that has cxxrtl/cxxrtl.h
    what     is simulated, for errors, which quote the compiler
    waves    main.cpp writes waves, and so needs a C++ library
    """
    cxx = compilers.cxx_for_host(compiler)
    design = folder / "design.cpp"
    design.write_text(_wide.shallow(design.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "wide.h").write_text(_wide.wide_header(), encoding="utf-8")
    (folder / "lean.cpp").write_text(_lean(), encoding="utf-8")

    def call(*command: str) -> None:
        name = f"building the simulator of {what} with {cxx}"
        start(command, what=name, cwd=folder, env=cache.zig_environment(), timeout=BUILD_SECONDS)

    flags = (*cxx.compile, *FLAGS, "-I", str(headers))
    if waves:
        call(*cxx.command, *flags, "main.cpp", "-o", program, *cxx.link)
        return
    units = ["main.cpp", "lean.cpp"]
    for unit in units:
        call(*cxx.command, *flags, *LEAN, "-c", unit, "-o", f"{unit}.o")
    linker = compilers.for_host(cxx.name, "1").command
    call(*linker, "-O1", *(f"{unit}.o" for unit in units), "-o", program, *cxx.link)


def recipe(compiler: str = "auto") -> list[str]:
    """What `build` does, for the digest of its result."""
    texts = [Path(module).read_text(encoding="utf-8") for module in (__file__, _wide.__file__)]
    return [str(compilers.cxx_for_host(compiler)), *FLAGS, *texts, _wide.wide_header(), _lean()]


def _lean() -> str:
    return (templates_dir() / "hdl" / "lean.cpp").read_text(encoding="utf-8")
