"""Plain values and numpy arrays of numbers from a pickle, none of whose code runs.

A pickle is a program. Only the instructions that make numbers, texts, lists, tuples and dicts are followed; a
call (REDUCE, BUILD) is noted as a `Made`, never made, and every other instruction is refused.
"""

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array

MARK = object()
VALUES = set(
    "BININT BININT1 BININT2 LONG1 BINFLOAT SHORT_BINSTRING BINSTRING SHORT_BINBYTES BINBYTES BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES8".split()
)
FIXED: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list, "EMPTY_DICT": dict, "MARK": lambda: MARK,
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
STORE, FETCH = {"BINPUT", "LONG_BINPUT"}, {"BINGET", "LONG_BINGET"}
IGNORED = {"PROTO", "FRAME", "STOP"}
ARRAYS = {f"numpy.{core}.multiarray _reconstruct" for core in ("core", "_core")}


@dataclass
class Made:
    """What a call would have made: of what, of which arguments, in which state."""

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None


def read_pickle(path: Path) -> Any:
    """The value of the file. EdgeTernaryError for a file that is no such pickle."""
    try:
        return plain_value(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EdgeTernaryError(
            f"{path} cannot be read as a pickle of plain values", str(error), "copy the file again"
        ) from error


def plain_value(content: bytes) -> Any:
    """The value of the pickle. ValueError for one that holds more than plain values."""
    try:
        return _Machine().run(content)
    except (IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error


class _Machine:
    """The stack and the memo of an unpickler."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(io.BytesIO(content)):
            self.step(opcode.name, argument)
        (value,) = self.stack
        return value

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in VALUES:
            stack.append(argument)
        elif name in FIXED:
            stack.append(FIXED[name]())
        elif name in STORE:
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in FETCH:
            stack.append(self.memo[argument])
        elif name == "GLOBAL":
            stack.append(Made(str(argument)))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(Made(f"{module} {attribute}"))
        elif name in TUPLES:
            items = [stack.pop() for _ in range(TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name == "TUPLE":
            stack.append(tuple(self.marked()))
        elif name == "APPENDS":
            items = self.marked()
            _as(list, stack[-1]).extend(items)
        elif name == "APPEND":
            item = stack.pop()
            _as(list, stack[-1]).append(item)
        elif name == "SETITEMS":
            items = self.marked()
            _as(dict, stack[-1]).update(zip(items[::2], items[1::2], strict=True))
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _as(dict, stack[-1])[key] = value
        elif name == "REDUCE":
            arguments, made = stack.pop(), _as(Made, stack.pop())
            stack.append(_called(made.name, _as(tuple, arguments)))
        elif name == "BUILD":
            state = stack.pop()
            _as(Made, stack[-1]).state = state
        elif name not in IGNORED:
            raise ValueError(f"it has the instruction {name}, which plain values do not need")

    def marked(self) -> list[Any]:
        """What is above the last mark, which goes."""
        at = len(self.stack) - 1
        while self.stack[at] is not MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items


def _called(name: str, arguments: tuple[Any, ...]) -> Any:
    """The bytes that a pickle of protocol 2 writes as a text; anything else is only noted."""
    if name == "_codecs encode" and len(arguments) == 2 and arguments[1] == "latin1":
        return _as(str, arguments[0]).encode("latin-1")
    return Made(name, arguments)


def _as(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"a {type(value).__name__} stands where a {kind.__name__} should")
    return value


def plain_array(value: Any, dtype: str = "u1") -> Array:
    """The array of `dtype` ("u1", "f4", "i8") that numpy pickled as `value`.

    EdgeTernaryError for anything else: another type, big-endian numbers, an array in column order.
    """
    try:
        made = _as(Made, value)
        _, shape, described, columns_first, data = made.state
        raw = data.encode("latin-1") if isinstance(data, str) else _as(bytes, data)
        kind = _as(Made, described)
        little = dtype == "u1" or kind.state[1] == "<"
        if made.name not in ARRAYS or _text(kind.arguments[0]) != dtype or not little or columns_first:
            raise ValueError(f"it is no array of {np.dtype(dtype)}")
        return np.frombuffer(raw, f"<{dtype}").reshape(shape)
    except (ValueError, TypeError, IndexError, UnicodeError) as error:
        raise EdgeTernaryError("a pickled array cannot be read", str(error), "copy the file again") from error


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
