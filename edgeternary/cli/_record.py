"""Options whose help shows their default, and options that reach a command together, as one argument."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import click

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
defaulted = partial(click.option, show_default=True)


def record(name: str, make: Callable[..., Any], *options: Decorator) -> Decorator:
    """Adds click's `options` to a command, which gets the argument `name`: what `make` makes of their values.

    make  takes each option's value by the name that click gives it; a dataclass, for example
    """
    names = _names(options)

    def add(command: Command) -> Command:
        @wraps(command)
        def called(**given: Any) -> Any:
            values = {option: given.pop(option) for option in names}
            return command(**given, **{name: make(**values)})

        found: Command = called
        for option in reversed(options):
            found = option(found)
        return found

    return add


def titled(title: str, *options: Decorator) -> tuple[Decorator, ...]:
    """The options, which help lists below a title."""

    def under(option: Decorator) -> Decorator:
        def add(command: Command) -> Command:
            found = option(command)
            found.__click_params__[-1].title = title  # type: ignore[attr-defined]
            return found

        return add

    return tuple(under(option) for option in options)


def _names(options: tuple[Decorator, ...]) -> list[str]:
    def probe() -> None: ...

    for option in options:
        option(probe)
    parameters: list[click.Parameter] = probe.__click_params__  # type: ignore[attr-defined]
    return [str(parameter.name) for parameter in parameters]
