"""Where the wave files of several executors go."""

from collections.abc import Sequence
from pathlib import Path

from edgeternary.errors import USAGE, EdgeTernaryError

FEW = 2  # samples when none were asked for: a wave file grows by megabytes a frame


def wave_files(path: Path, executors: Sequence[str]) -> dict[str, Path]:
    """The file of each executor: `path` itself, or with several of them <stem>-<executor><suffix>.

    EdgeTernaryError (exit code 2) names an executor that writes no waves, or not in the format of the suffix.
    """
    from edgeternary.run import executors as known
    from edgeternary.run import find

    for executor in executors:
        formats = getattr(find(executor)[0], "WAVES", ())
        if not formats:
            able = [name for name in known() if getattr(find(name)[0], "WAVES", ())]
            raise EdgeTernaryError(
                f"executor {executor} writes no waves",
                "only simulators of the design itself do",
                f"use --waves with --on {', '.join(able)}; --compare runs numpy by itself",
                USAGE,
            )
        if path.suffix not in formats:
            raise EdgeTernaryError(
                f"executor {executor} cannot write {path.name}",
                f"it writes waves as {' or '.join(formats)}",
                f"use --waves {path.with_suffix(formats[0]).name}",
                USAGE,
            )
    if len(executors) == 1:
        return {executors[0]: path}
    names = {executor: executor.replace(":", "-") for executor in executors}
    return {executor: path.with_name(f"{path.stem}-{name}{path.suffix}") for executor, name in names.items()}
