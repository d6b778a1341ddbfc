"""Sizes, counts and shapes as people type them: 42k, 1.5M, 16384, 1x28x28."""

import re
from typing import Any

import click


class Size(click.ParamType):
    """Bytes; k and M mean 1,024 and 1,048,576."""

    name = "size"
    units = {"": 1, "k": 1024, "m": 1024**2}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([km]?)i?b?", value.strip().lower())
        if not match:
            self.fail(f"{value!r} is not a {self.name} such as 42k, 1.5M or 16384", param, ctx)
        return int(float(match[1]) * self.units[match[2]])


class Count(Size):
    """A number of things; k and M mean 1,000 and 1,000,000."""

    name = "count"
    units = {"": 1, "k": 1000, "m": 1000**2}


class Shape(click.ParamType):
    """Numbers such as 1x28x28, or with commas."""

    name = "shape"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in re.split("[x,]", value.lower())]
        if not all(word.isdecimal() and int(word) for word in words):
            self.fail(f"{value!r} is no shape such as 1x28x28 or 784", param, ctx)
        return tuple(map(int, words))
