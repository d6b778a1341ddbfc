"""Help that fits a screen of 80 columns: grouped options, and at the end what every verb has."""

from __future__ import annotations

import re
from functools import partial

import click

PLAIN = "Options"
ALWAYS = {"as_json": "--json", "debug": "--debug (the traceback of an error)"}
COLUMN = 27  # of names and metavar; the text of longer ones begins on the next line
NUMBERS = {r"(INTEGER|COUNT)( RANGE)?": "N", r"FLOAT( RANGE)?": "NUMBER"}


class Verb(click.Command):
    """A command whose help lists options below their titles (see `titled`), those without one first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        sections: dict[str, list[tuple[str, str]]] = {PLAIN: []}
        for option in shown:
            if option.name not in ALWAYS and "--help" not in option.opts:
                sections.setdefault(getattr(option, "title", PLAIN), []).append(_row(option, ctx))
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=COLUMN)
        words = [text for name, text in ALWAYS.items() if any(option.name == name for option in shown)]
        formatter.write_paragraph()
        formatter.write_text(f"Also: {', '.join(words)}, -h (this text).")


def _row(option: click.Option, context: click.Context) -> tuple[str, str]:
    """Names with the metavar, and the text with the default where it is to be shown."""
    word = max(option.opts, key=len).strip("-").upper()
    names, text = (option.get_help_record(context) or ("", ""))[0], option.help or ""
    for long, short in {**NUMBERS, "TEXT": word}.items():
        names = re.sub(rf"\b{long}$", short, names)
    return names, f"{text} [{option.default}]" if option.show_default else text


verb = partial(click.command, cls=Verb)
