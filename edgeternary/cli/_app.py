"""The click group: finds verbs in this folder and imports them when they are used."""

import importlib
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

import click

from edgeternary.version import __version__


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

    A verb that is a keyword of Python has an underscore after its module's name.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem.rstrip("_") for path in Path(__file__).parent.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"edgeternary.cli.{module}").command
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(debug_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no verb {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


app = Verbs(
    name="edgeternary",
    params=[debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="""Trained binary, ternary and k-bit networks on microcontrollers and FPGAs, bit for bit.

    MODEL is the path of a .et, .tflite, .onnx or .nir file, or zoo:NAME for a model that ships with the
    package.

    Exit codes: 1 bad input or failed, 2 usage, 3 a tool is missing, 4 not bit-exact, 5 does not fit.
    """,
)
app = click.version_option(__version__, prog_name="edgeternary")(app)
