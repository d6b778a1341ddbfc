"""Compiles C with zig, gcc or clang, for this machine or for a Cortex-M. Builds are cached."""

import platform
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeternary.cores import cortex_m as find_core
from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.toolchains import cache
from edgeternary.toolchains.catalog import find, require
from edgeternary.toolchains.process import run
from edgeternary.toolchains.tool import Tool

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
FREESTANDING = (
    "-ffreestanding",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# Calls in place of code at each access take gcc a third less time. A null pointer, or one that wrapped
# around, is found where it is followed: without checks of its own that is another third.
SANITIZE_GCC = (
    *SANITIZE,
    "--param=asan-instrumentation-with-call-threshold=0",
    "-fno-sanitize=null,object-size,pointer-overflow",
)
OPTIMIZE = ("0", "1", "2", "3", "s", "z")
PRODUCT = "image"


@dataclass(frozen=True)
class Compiler:
    """A C compiler with the options of one target.

    name     "zig", "gcc" or "clang"
    version  version of the compiler
    command  program and target options
    compile  options for each translation unit
    link     options of the link step, after the objects
    """

    name: str
    version: str
    command: tuple[str, ...]
    compile: tuple[str, ...]
    link: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def for_core(core: str, compiler: str = "auto", optimize: str = "2") -> Compiler:
    """A freestanding compiler for a Cortex-M. `compiler`: "zig", "gcc" or "auto" (zig first)."""
    target = find_core(core)
    options = _options(optimize)
    tool = _choose(compiler, {"zig": "zig", "gcc": "arm-none-eabi-gcc"})
    if tool.name == "zig":
        command = (*tool.command, "cc", "-target", "thumb-freestanding-eabi", f"-mcpu={target.zig}")
        # The linker adds zig's compiler-rt, which an M0+ needs for division and 64-bit products.
        options += FREESTANDING + ("-fno-sanitize=all", *_zig_paths(tool))
        keep = ("-g",) if optimize in ("s", "z") else ()  # without -g, zig strips the symbols
        return Compiler("zig", tool.version, command, options + keep, keep)
    command = (*tool.command, f"-mcpu={target.gcc}", "-mthumb", f"-mfloat-abi={target.float}")
    return Compiler("gcc", tool.version, command, options + FREESTANDING, ("-nostdlib", "-lgcc"))


def for_host(compiler: str = "auto", optimize: str = "2", sanitize: bool = False) -> Compiler:
    """A compiler for this machine. `sanitize` adds address and undefined-behaviour checks (gcc or clang)."""
    options = _options(optimize)
    names = {"zig": "zig", "gcc": "gcc", "clang": "clang"}
    if sanitize:
        if compiler == "zig":
            raise EdgeTernaryError(
                "zig cannot check addresses",
                "it ships no AddressSanitizer runtime",
                "use gcc or clang",
                code=USAGE,
            )
        del names["zig"]
    tool = _choose(compiler, names)
    if tool.name == "zig":
        command = (*tool.command, "cc", *_zig_host())
        return Compiler("zig", tool.version, command, (*options, "-fno-sanitize=all", *_zig_paths(tool)), ())
    checks = (*(SANITIZE_GCC if tool.name == "gcc" else SANITIZE), "-g") if sanitize else ()
    return Compiler(tool.name, tool.version, tool.command, options + checks, checks)


def cxx_for_host(compiler: str = "auto") -> Compiler:
    """A C++ compiler for this machine, without options for warnings. Objects are linked by the C compiler."""
    tool = _choose(compiler, {"zig": "zig", "gcc": "gcc", "clang": "clang"})
    if tool.name == "zig":
        command = (*tool.command, "c++", *_zig_host())
        return Compiler("zig", tool.version, command, ("-fno-sanitize=all",), ("-fno-sanitize=all",))
    return Compiler(tool.name, tool.version, tool.command, (), ("-lstdc++",))


def build(
    compiler: Compiler,
    sources: Mapping[str, str],
    *,
    defines: Sequence[str] = (),
    link_script: str = "",
    shared: Collection[str] = (),
    what: str = "the model",
) -> Path:
    """Compiles and links `sources` {relative file name: text}, or returns the same build from the cache.

    Every `.c` file is a translation unit. Other files can be included; `#include <...>` finds those below
    `system/`. `defines` are texts `NAME=value`. `shared` names the sources that other programs have too, and
    which include no others: their objects are compiled once. Returns the path of the linked file, which lies
    in the folder of the sources. EdgeTernaryError quotes the message of the compiler.
    """
    options = (*compiler.compile, *(f"-D{define}" for define in defines), "-isystem", "system")
    parts = [str(compiler), *compiler.command[1:], "|", *options, "|", *compiler.link, "|", link_script]
    parts += [text for item in sorted(sources.items()) for text in item]
    parts += ["|", *sorted(shared)]  # a linker may place what comes from objects in another order

    def fill(folder: Path) -> None:
        _write(folder, sources)
        objects = _objects(compiler, {name: sources[name] for name in shared}, options, what)
        units = [objects.get(name, name) for name in sorted(sources) if name.endswith(".c")]
        link = list(compiler.link)
        if link_script:
            (folder / "link.ld").write_text(link_script, encoding="utf-8")
            link = ["-Wl,--gc-sections", "-T", "link.ld", *link]
        run(
            [*compiler.command, *options, *units, *link, "-o", PRODUCT],
            what=f"building {what} with {compiler}",
            cwd=folder,
            env=cache.zig_environment(),
        )

    return cache.build(cache.digest(*parts), fill) / PRODUCT


def _objects(
    compiler: Compiler, sources: Mapping[str, str], options: Sequence[str], what: str
) -> dict[str, Path]:
    """The object of each translation unit of `sources`, which include one another alone."""
    units = [name for name in sorted(sources) if name.endswith(".c")]
    parts = [str(compiler), *compiler.command[1:], "|", *options, "|"]
    parts += [text for item in sorted(sources.items()) for text in item]

    def fill(folder: Path) -> None:
        _write(folder, sources)
        for unit in units:
            command = [*compiler.command, *options, "-c", unit, "-o", f"{unit}.o"]
            run(command, what=f"building {what} with {compiler}", cwd=folder, env=cache.zig_environment())

    if not units:
        return {}
    folder = cache.build(cache.digest(*parts), fill, "objects")
    return {unit: folder / f"{unit}.o" for unit in units}


def _write(folder: Path, sources: Mapping[str, str]) -> None:
    for name, text in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _zig_paths(tool: Tool) -> tuple[str, ...]:
    """Options that keep the folders of this machine out of debug information, which zig writes unasked."""
    library = Path(tool.where).resolve().parent / "lib"
    return ("-ffile-compilation-dir=.", f"-ffile-prefix-map={library}=zig")


def _zig_host() -> tuple[str, ...]:
    """Target options for this machine. On Linux, zig contains a C library."""
    if sys.platform != "linux":
        return ()
    libc = "gnu.2.28" if platform.libc_ver()[0] == "glibc" else "musl"
    return ("-target", f"{platform.machine()}-linux-{libc}")


def _options(optimize: str) -> tuple[str, ...]:
    if optimize not in OPTIMIZE:
        raise EdgeTernaryError(
            f"unknown optimisation level {optimize!r}",
            "compilers know -O" + ", -O".join(OPTIMIZE),
            code=USAGE,
        )
    return (f"-O{optimize}", *WARNINGS, "-fomit-frame-pointer")


def _choose(compiler: str, names: Mapping[str, str]) -> Tool:
    """The tool of a compiler name. "auto" takes the first of `names` that is installed."""
    if compiler != "auto":
        if compiler not in names:
            raise EdgeTernaryError(
                f"unknown compiler {compiler!r}",
                "edgeternary does not use it for this target",
                f"use auto, {', '.join(names)}",
                code=USAGE,
            )
        return require(names[compiler])
    for name in names.values():
        if find(name).found:
            return find(name)
    raise EdgeTernaryError(
        "no C compiler was found",
        f"none of these is installed: {', '.join(names.values())}",
        f"install one with: {find(next(iter(names.values()))).install}",
        code=TOOL_MISSING,
    )
