"""Which options executors know; one that none of them knows is a spelling mistake."""

from collections.abc import Collection, Mapping

from edgeternary.errors import USAGE, EdgeTernaryError, nearest

# Their meanings are in the docstrings of the executors that know them; the others ignore them, so that
# one set of options serves a list of executors.
OPTIONS = (
    "batch", "baud", "board", "checkpoint", "clock", "compile_limit", "compiler", "count", "digest",
    "embedded", "flash_wait", "fps", "jobs", "latency", "max_luts", "maximize", "opt_level", "optimize",
    "original", "patience",
    "progress", "sanitize", "shipped", "stage", "stalls", "timeout", "torch_model", "waves", "yosys",
)  # fmt: skip


def check_options(options: object) -> Mapping[str, object]:
    """`options` of one executor; EdgeTernaryError (exit code 2) for a name that no executor knows."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise EdgeTernaryError(
            f"options are no {type(options).__name__}",
            "they are names and values",
            'give a mapping, such as options={"count": 3}',
            USAGE,
        )
    _refuse(options, OPTIONS, "unknown option", "executors know")
    return options


def check_executors(options: Mapping[str, object], used: Collection[str]) -> None:
    """EdgeTernaryError (exit code 2) for options of an executor that does not run."""
    _refuse(options, used, "options for an executor that does not run:", "those that run are")


def _refuse(given: Mapping[str, object], known: Collection[str], what: str, why: str) -> None:
    for name in given:
        if name not in known:
            raise EdgeTernaryError(
                f"{what} {str(name)[:40]!r}",
                f"{why} {', '.join(sorted(known))}",
                nearest(name, known, "leave it out"),
                USAGE,
            )
