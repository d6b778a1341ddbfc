"""Sizes as people type them: 42k, 1.5M, 16384."""

from __future__ import annotations

import re
from typing import Any

import click

UNITS = {"": 1, "k": 1024, "m": 1024**2}


class Size(click.ParamType):
    """Bytes; k and M mean 1,024 and 1,048,576."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([km]?)i?b?", value.strip().lower())
        if not match:
            self.fail(f"{value!r} is not a size such as 42k, 1.5M or 16384", param, ctx)
        return int(float(match[1]) * UNITS[match[2]])
