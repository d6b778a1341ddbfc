"""The demo and the report are tested as commands."""

from tests.cli.conftest import et, model  # noqa: F401
