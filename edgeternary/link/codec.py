"""Encodes inputs, decodes answers, and checks that a device has the expected model."""

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.types import parse
from edgeternary.ir.wire import wire
from edgeternary.link import faults
from edgeternary.link.frames import Hello

WIRE_BITS = (1, 2, 4, 8, 16)


def encode_input(hello: Hello, codes: np.ndarray) -> bytes:
    """The bytes of one input: codes in the order row, column, channel, with `hello.input_bits` bits each."""
    bits, kind = hello.input_bits, parse(hello.input_type)
    numbers = np.ascontiguousarray(codes).reshape(-1, 1).astype(np.int64)
    if bits == kind.bits:
        if kind.name == "bipolar":
            numbers = (numbers > 0).astype(np.int64)
        elif kind.name == "ternary":
            numbers = (numbers > 0) + 2 * (numbers < 0).astype(np.int64)
    planes = (numbers >> np.arange(bits)) & 1
    return np.packbits(planes.astype(np.uint8), bitorder="little").tobytes()


def answer_bytes(hello: Hello) -> int:
    """The length of the body of an answer, in bytes."""
    return int(np.prod(hello.output_shape)) * hello.output_bytes + hello.class_bytes


def decode_answer(hello: Hello, body: bytes) -> tuple[NDArray[np.int32], int | None]:
    """Numbers int32 of the output's shape, and the class that follows them, if the device sends one.

    The numbers are signed if their type is. EdgeTernaryError if the length of `body` is wrong.
    """
    if len(body) != answer_bytes(hello):
        raise EdgeTernaryError(
            "an answer has the wrong length",
            f"it has {len(body)} bytes, the hello announces {answer_bytes(hello)}",
            "flash the image that this edgeternary built",
        )
    size = hello.output_bytes
    end = len(body) - hello.class_bytes
    digits = np.frombuffer(body[:end], np.uint8).reshape(-1, size).astype(np.int64)
    numbers = digits @ (np.int64(1) << 8 * np.arange(size, dtype=np.int64))
    if parse(hello.output_type).signed:
        numbers -= (digits[:, -1] >> 7) << 8 * size
    index = int.from_bytes(body[end:], "little") if hello.class_bytes else None
    return numbers.astype(np.int32).reshape(hello.output_shape), index


def check_hello(hello: Hello, name: str) -> None:
    """Refuses sizes and types that this host does not support. `name` is the name of the port."""
    try:
        kinds = parse(hello.input_type), parse(hello.output_type)
    except EdgeTernaryError as error:
        raise faults.wrong_answer(name, error.what) from error
    sizes = (*hello.input_shape, *hello.output_shape)
    good = (
        hello.input_bits in WIRE_BITS
        and hello.input_bits >= kinds[0].bits
        and 1 <= hello.output_bytes <= 4
        and 0 <= hello.class_bytes <= 4
        and min(sizes) > 0
        and int(np.prod(sizes, dtype=object)) < 1 << 28
    )
    if not good:
        raise faults.wrong_answer(name, f"its hello says {hello.encode()[:80]!r}")


def check_model(hello: Hello, graph: Graph, name: str, digest: str = "") -> None:
    """Refuses a device whose model is not `graph`, or whose build has another digest.

    name    the name of the port
    digest  the digest of the build; "" accepts every build of a model with this name and these shapes
    """
    check_hello(hello, name)
    there = hello.input_type, hello.input_shape, hello.output_type, hello.output_shape
    taken, given = wire(graph)
    wanted = taken.type.name, taken.shape, given.type.name, given.shape
    if hello.name != graph.name or there != wanted:
        raise faults.other_model(
            name, f"it has {_described(hello.name, *there)}; expected is {_described(graph.name, *wanted)}"
        )
    if digest and hello.digest != digest[:16]:
        raise faults.other_model(
            name, f"its digest is {hello.digest} (on {hello.target}); the build has {digest[:16]}"
        )


def _described(
    model: str, i_type: str, i_shape: tuple[int, ...], o_type: str, o_shape: tuple[int, ...]
) -> str:
    ins, outs = ("x".join(map(str, shape)) for shape in (i_shape, o_shape))
    return f"{model!r} ({i_type} {ins} to {o_type} {outs})"
