"""The demo is tested as a command."""

from tests.cli.conftest import et  # noqa: F401
