"""Simulators out of CXXRTL's C++, compiled with zig, or with the gcc or clang of this machine.

A simulator that writes no waves has no exceptions and takes templates/hdl/lean.cpp in place of a C++ library:
zig would build that library from its source first, which takes a minute of CPU.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgeternary.data import templates_dir
from edgeternary.run import _units, _wide
from edgeternary.toolchains import cache, compilers
from edgeternary.toolchains import run as start

BUILD_SECONDS = 3600.0  # a language model's C++ takes minutes
UNITS = 4  # into which long C++ is split; a unit of 4 MB takes 250 MB of memory
FLAGS = ("-std=c++17", "-O1", "-g0", "-w")
LEAN = (
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-D_LIBCPP_VERBOSE_ABORT(...)=__builtin_abort()",
)


def build(
    folder: Path,
    headers: Path,
    program: str,
    what: str,
    compiler: str = "auto",
    waves: bool = False,
    limit: float = BUILD_SECONDS,
) -> None:
    """Makes `program` in `folder` out of its main.cpp, which includes its design.cpp.

    Long C++ is compiled in units, as many at once as there are processors.

    headers  the folder that has cxxrtl/cxxrtl.h
    what     is simulated, for errors, which quote the compiler
    waves    main.cpp writes waves, and so needs a C++ library
    limit    seconds that a unit may take
    """
    cxx = compilers.cxx_for_host(compiler)
    text = _wide.shallow((folder / "design.cpp").read_text(encoding="utf-8"))
    files = {"design.cpp": text} if waves else _units.units(text, UNITS)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "wide.h").write_text(_wide.wide_header(), encoding="utf-8")
    (folder / "lean.cpp").write_text(_lean(), encoding="utf-8")

    def call(*command: str) -> None:
        start(
            command,
            what=f"building the simulator of {what} with {cxx}",
            cwd=folder,
            env=cache.zig_environment(),
            timeout=limit,
            remedy="give it more time (--compile-limit), or use hdl, which compiles nothing, or verilator"
            if limit < BUILD_SECONDS
            else "",
        )

    flags = (*cxx.compile, *FLAGS, "-I", str(headers))
    if waves:
        call(*cxx.command, *flags, "main.cpp", "-o", program, *cxx.link)
        return
    units = [*(name for name in files if name.startswith("unit")), "main.cpp", "lean.cpp"]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda unit: call(*cxx.command, *flags, *LEAN, "-c", unit, "-o", f"{unit}.o"), units))
    linker = compilers.for_host(cxx.name, "1").command
    call(*linker, "-O1", *(f"{unit}.o" for unit in units), "-o", program, *cxx.link)


def recipe(compiler: str = "auto") -> list[str]:
    """What `build` does, for the digest of its result."""
    modules = (__file__, _wide.__file__, _units.__file__)
    texts = [Path(module).read_text(encoding="utf-8") for module in modules]
    return [str(compilers.cxx_for_host(compiler)), *FLAGS, *texts, _wide.wide_header(), _lean()]


def _lean() -> str:
    return (templates_dir() / "hdl" / "lean.cpp").read_text(encoding="utf-8")
