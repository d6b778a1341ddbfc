"""The command line. A file of this folder without a leading underscore is a verb, loaded when it is used."""

from __future__ import annotations

import gc
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgeternary.errors import BAD_INPUT, EdgeTernaryError

if TYPE_CHECKING:
    import click

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: runs the command line and exits with one of the codes of `edgeternary.errors`."""
    gc.set_threshold(20_000, 20, 20)  # graphs, plans and designs live long: walking them often takes a tenth
    warnings.formatwarning = _formatted
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115
    sys.exit(call(list(sys.argv[1:] if arguments is None else arguments)))


def call(arguments: list[str], program: click.Group | None = None) -> int:
    """Run the command line, or another `program`, and return its exit code; errors become one block of text
    on stderr."""
    import click

    from edgeternary.cli._app import COMPLETING, Session, app
    from edgeternary.cli._errors import describe

    if COMPLETING in os.environ:
        from edgeternary.cli import _completion  # noqa: F401
    session = Session()
    try:
        chosen = program or app
        code = chosen.main(arguments, prog_name=chosen.name, standalone_mode=False, obj=session)
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader went away: no second error at exit
        return BAD_INPUT
    except Exception as error:
        if session.debug:
            traceback.print_exc()
        said = _of_an_extra(error) or error
        print(describe(said), file=sys.stderr)
        return said.code if isinstance(said, EdgeTernaryError) else BAD_INPUT


def _formatted(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A line; of warnings of other packages, where they come from, too."""
    own = category.__module__.startswith(f"{__name__.partition('.')[0]}.")
    return f"warning: {message}\n" if own else f"{filename}:{lineno}: {category.__name__}: {message}\n"


def _of_an_extra(error: Exception) -> EdgeTernaryError | None:
    from edgeternary.toolchains.extras import missing

    return missing(error) if isinstance(error, ImportError) else None
