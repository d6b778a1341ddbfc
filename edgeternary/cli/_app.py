"""The click group: finds verbs in this folder and imports them when they are used."""

import importlib
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

import click

from edgeternary.errors import nearest
from edgeternary.version import __version__

COMPLETING = "_EDGETERNARY_COMPLETE"  # the variable by which a shell asks for completions


TITLES = {
    "Start here": ("demo", "zoo", "inspect", "summary", "report"),
    "Make a model": ("train", "data", "import"),
    "Run and compare": ("run", "simulate", "bench", "check", "generate"),
    "Put it onto a target": ("compile", "export", "flash", "verify", "emulate", "verify-build"),
    "Boards and tools": ("boards", "doctor"),
}  # of the verbs in help; those that it leaves out come last


@dataclass
class Session:
    """What the whole command line shares."""

    debug: bool = False


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    session = context.find_object(Session)
    if value and session:
        session.debug = True


def debug_option() -> click.Option:
    """--debug, which every command takes."""
    text = "Show the Python traceback of an error."
    return click.Option(["--debug"], is_flag=True, expose_value=False, callback=_set_debug, help=text)


class Verbs(click.Group):
    """A group whose commands are the modules of this folder, each with a click command `command`.

    A verb that is a keyword of Python has an underscore after its module's name, and a dash is an underscore.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(
            path.stem.rstrip("_").replace("_", "-") for path in Path(__file__).parent.glob("[a-z]*.py")
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = importlib.import_module(f"edgeternary.cli.{module}").command
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(debug_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        left = self.list_commands(ctx)
        for title, verbs in (*TITLES.items(), ("Others", ())):
            names = [name for name in verbs or list(left) if name in left]
            left = [name for name in left if name not in names]
            found = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, command.get_short_help_str(200)) for name, command in found if command]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            known = self.list_commands(ctx)
            hint = nearest(args[0], known, f"known are {', '.join(known)}")
            ctx.fail(f"There is no verb {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)


app = Verbs(
    name="edgeternary",
    params=[debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    help="""Trained binary, ternary and k-bit networks on microcontrollers and FPGAs, bit for bit.

    MODEL is a file (.et, .tflite, .onnx, .nir), or zoo:NAME for a model that ships with the package.

    \b
    Example:
      edgeternary simulate zoo:fashion-cnn --on numpy,host,m4 --compare
    """,
    epilog="""\b
    Exit codes: 1 bad input or failed, 2 usage, 3 a tool is missing,
      4 not bit-exact, 5 does not fit, 130 interrupted.
    Completion, in ~/.bashrc (or zsh_source, fish_source):
      eval "$(_EDGETERNARY_COMPLETE=bash_source edgeternary)"
    """,
)
app = click.version_option(__version__, prog_name="edgeternary")(app)
