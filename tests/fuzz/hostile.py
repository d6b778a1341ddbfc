"""Files that somebody made to do harm: name -> bytes. Every one must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from edgeternary.ir.file import KEY, to_bytes
from edgeternary.ops import build
from tests.fuzz.container import Parts, changed
from tests.fuzz.hostile_several import alone_changes, several_changes
from tests.registry.graphs import chosen, leaky, tiny_cnn, tiny_mlp
from tests.registry.several import two_heads

BIG = 10**30
DEEP = "[" * 200_000


def truncated() -> Iterator[tuple[str, bytes]]:
    """Cut in the length, the header, the data and just before the end; and with more after it."""
    data = to_bytes(tiny_mlp())
    header = 8 + int.from_bytes(data[:8], "little")
    for size in (0, 1, 7, 8, 9, header // 2, header - 1, header, header + 1, len(data) - 5, len(data) - 1):
        yield f"truncated to {size}", data[:size]
    yield "bytes after the end", data + b"\0"
    yield "nothing but zeros", bytes(4096)
    for claim in (header + 1, 100 * 2**20, 2**31, 2**63 - 1, 2**64 - 1):
        yield f"header of {claim}", claim.to_bytes(8, "little") + data[8:]
    for text in (b"", b"null", b"[]", b"{", b'{"a":1}', b"\xff\xfe{}", DEEP.encode(), b'{"a":' * 9999):
        yield f"header text {text[:8]!r}", len(text).to_bytes(8, "little") + text
    yield "a pickle", b"\x80\x04\x95\x1f\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."


def header_changes() -> Iterator[tuple[str, Callable[[Parts], Any]]]:
    """Changes of the container's own header."""

    def metadata(content: Any) -> Callable[[Parts], Any]:
        return lambda p: p.header.update(__metadata__=content)

    def tensor(**changes: Any) -> Callable[[Parts], Any]:
        return lambda p: p.header["0.weights"].update(changes)

    yield "no metadata", lambda p: p.header.pop("__metadata__")
    yield "no key", metadata({})
    yield "another key", metadata({"other": "1"})
    yield "one key too many", lambda p: p.header["__metadata__"].update(more="1")
    yield "metadata of numbers", lambda p: p.raw.update(header='{"__metadata__": {"edgeternary": 1}}')
    for dtype in ("F32", "BF16", "I64", "BOOL", "F8_E4M3", "X", "I8"):
        yield f"weights are {dtype}", tensor(dtype=dtype)
    for shape in ([2, 99], [27], [28], [2**40], [2**63, 2], [2, -14], [2, 14, 1], [], [0]):
        yield f"weights of shape {shape}", tensor(shape=shape)
    for offsets in ([0, 2**40], [-1, 111], [8, 4], [2**64, 2**65], [0, 0], [1, 113]):
        yield f"weights at {offsets}", tensor(data_offsets=offsets)
    yield "a tensor twice", lambda p: p.raw.update(header=_twice(p))
    yield (
        "tensors that overlap",
        lambda p: p.header["2.weights"].update(data_offsets=p.header["0.weights"]["data_offsets"]),
    )
    yield "a tensor that nobody uses", _unused


def _unused(p: Parts) -> None:
    end = len(p.data)
    p.header["more"] = {"dtype": "U8", "shape": [1], "data_offsets": [end, end + 1]}
    p.data.append(0)


def _twice(p: Parts) -> str:
    """Header JSON with the key 0.weights in it twice, of different sizes."""
    p.header["__metadata__"][KEY] = json.dumps(p.model)
    text = json.dumps(p.header)
    return text[:-1] + ', "0.weights": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}'


def model_changes() -> Iterator[tuple[str, Callable[[Parts], Any]]]:
    """Changes of the model's JSON in the tiny MLP."""

    def put(*path: Any) -> Callable[[Parts], Any]:
        *keys, last, content = path

        def change(p: Parts) -> None:
            at: Any = p.model
            for key in keys:
                at = at[key]
            at[last] = content

        return change

    version: Any
    content: Any
    kind: Any
    array: Any
    scale: Any

    def drop(key: str) -> Callable[[Parts], Any]:
        return lambda p: p.model.pop(key)

    def raw(text: str) -> Callable[[Parts], Any]:
        return lambda p: p.raw.update(model=text)

    for version in (0, 2, 3, 999, -1, "1", None, True, 1.5, [], BIG):
        yield f"version {version!r}"[:40], put("format", version)
    yield "no version", lambda p: p.model.pop("format")
    for text in ("", "null", "[]", '"x"', "{", DEEP, '{"format":1,"a":' + DEEP, '{"a":' * 50_000, "\ud800"):
        yield f"model text {text[:20]!r} of {len(text)}", raw(text)
    yield "endless text", raw('{"format": 1, "name": "' + "x" * 2**22 + '"}')
    yield "half a million lists", raw('{"format":1,"ops":[{"kind":[' + "[]," * 500_000 + "[]]}]}")
    for key in ("name", "input", "ops", "output", "states", "meta"):
        yield f"no {key}", drop(key)
        for content in (None, 7, "x", [], {}, [[]], BIG):
            if (key, content) not in (("states", []), ("meta", {}), ("name", "x")):
                yield f"{key} is {content!r}", put(key, content)
    yield "an unknown field", put("more", 1)
    yield "an unknown field of the input", put("input", "more", 1)
    yield "an unknown field of a layer", put("ops", 0, "__class__", "os.system")
    yield "an unknown field of an array", put("ops", 0, "bias", "more", 1)
    yield "an unknown field of the metadata", put("meta", "more", 1)
    for name in ("", "a\nb", "a\0b", "x" * 201, "\u202eb", 7):
        yield f"model name {name!r}"[:30], put("name", name)
        yield f"input name {name!r}"[:30], put("input", "name", name)
        yield f"layer name {name!r}"[:30], put("ops", 0, "name", name)
        yield f"output name {name!r}"[:30], put("output", name)
    for shape in (
        [],
        [0],
        [-12],
        [2**40],
        [2**63],
        [BIG],
        [1.5],
        ["12"],
        [12] * 5,
        [1] * 100_000,
        [12, 2**26],
        12,
    ):
        yield f"input shape {str(shape)[:24]}", put("input", "shape", shape)
    for type in ("int99", "float32", "", "x" * 10**6, "int8\n", None, 8, "__import__('os')"):
        yield f"input type {str(type)[:24]!r}", put("input", "type", type)
    for field in ("lo", "hi"):
        for number in (BIG, -BIG, 1.5, "0", None, 2**63):
            yield f"input {field} {number!r}", put("input", field, number)
    yield "upside-down interval", put("input", "lo", 256)
    for kind in ("nothing", "", None, 1, [], "Dense", "os.system", "x" * 10**6):
        yield f"kind {str(kind)[:20]!r}", put("ops", 0, "kind", kind)
    for names in ([], ["fc1"], ["fc2"], ["pixels", "pixels"], "pixels", [7], None, [""]):
        yield f"inputs {names!r}", put("ops", 0, "inputs", names)
    for type in ("bipolar", "int9", "uint8", "int32", "", 5):
        yield f"weight type {type!r}", put("ops", 0, "weight_type", type)
    for array in (
        None,
        7,
        [],
        {},
        {"tensor": 7},
        {"tensor": "none"},
        {"tensor": "0.bias", "type": "ternary"},
    ):
        yield f"weights are {array!r}", put("ops", 0, "weights", array)
    yield "a tensor used twice", put("ops", 0, "bias", {"tensor": "0.weights"})
    yield "weights said to be unpacked", put("ops", 0, "weights", {"tensor": "0.weights"})
    yield (
        "thresholds said to be packed",
        put("ops", 1, "t", {"tensor": "1.t", "type": "int8", "shape": [35, 1]}),
    )
    for shape in (
        [35, 13],
        [420],
        [35, 0],
        [-35, -12],
        [2**40, 2**40],
        [1] * 9,
        [2**26, 2**26, 2**26, 2**26],
        [],
    ):
        yield f"weights shape {shape!r}", put("ops", 0, "weights", "shape", shape)
    for type in ("ternary ", "int32", "int16", "bipolar", "uint2", "int2", "nothing"):
        yield f"weights packed as {type!r}", put("ops", 0, "weights", "type", type)
    for scale in (float("nan"), float("inf"), -1.0, 0, "1", None, [], BIG * 10.0**290):
        yield f"scale {scale!r}", put("meta", "logit_scale", scale)
        yield f"input scale {scale!r}", put("meta", "input_scale", scale)
        yield f"input scale {scale!r} of a channel", put("meta", "input_scale", [0.5] * 11 + [scale])
    for scale in (1e-60, 1e39, [0.5] * 11, [0.5] * 13, [[0.5]] * 12, {"0": 1}):
        yield f"input scale {scale!r}", put("meta", "input_scale", scale)
    for zero in (
        BIG,
        2**31,
        -(2**24) - 1,
        0.5,
        "0",
        None,
        [0] * 11,
        [0] * 13,
        [0] * 11 + [2**40],
        [True] * 12,
    ):
        yield f"zero point {zero!r}", put("meta", "input_zero", zero)
    yield (
        "infinite scale in text",
        lambda p: p.raw.update(
            model=json.dumps(p.model).replace('"logit_scale": 0.125', '"logit_scale": 1e999')
        ),
    )
    yield "labels of numbers", put("meta", "labels", [1, 2])
    yield "info of lists", put("meta", "info", {"a": []})
    yield "ten thousand and one layers", lambda p: p.model["ops"].extend([p.model["ops"][0]] * 10_001)


def data_changes() -> Iterator[tuple[str, Callable[[Parts], Any]]]:
    """Changes of tensor contents in the tiny MLP: 420 ternary weights in 14 words a plane."""

    def every(name: str, byte: int) -> Callable[[Parts], Any]:
        return lambda p: p.tensor(name).__setitem__(slice(None), bytes([byte]) * len(p.tensor(name)))

    yield "illegal ternary", every("0.weights", 0xFF)
    yield "bits after the last element", lambda p: p.tensor("0.weights").__setitem__(55, 0x80)
    yield "steps of 127", every("1.step", 127)
    yield "bases of 0", every("1.base", 0)
    yield "bases of 127", every("1.base", 127)
    yield "thresholds out of reach", every("1.t", 0x7F)


def other_models() -> Iterator[tuple[str, bytes]]:
    """Changes of fields that the MLP does not have."""

    def state(**changes: Any) -> bytes:
        return changed(leaky(), lambda p: p.model["states"][0].update(changes))

    def fields(graph: Any, layer: str, **changes: Any) -> bytes:
        return changed(graph, lambda p: p.op(layer).update(changes))

    numbers = (0, -1, 2**15 + 1, 2**40, BIG)
    for field in ("kernel", "stride"):
        for n in numbers:
            yield f"pool {field} {n}", fields(tiny_cnn(), "pool1", **{field: [n, 2]})
    for pad in ([2, 0, 0, 0], [-1, 0, 0, 0], [2**40] * 4, [BIG] * 4, [0, 0, 0], [0.5, 0, 0, 0], "0000"):
        yield f"pool pad {pad}", fields(tiny_cnn(), "pool1", pad=pad)
    for n in numbers:
        yield f"groups {n}", fields(tiny_cnn(), "conv1", groups=n)
        yield f"stride {n}", fields(tiny_cnn(), "conv1", stride=[n, 1]) if n < 1 or n > 2**15 else b""
    for pad in ([2**15] * 4, [2**40] * 4, [-1] * 4):
        yield f"conv pad {pad}", fields(tiny_cnn(), "conv1", pad=pad)
    for code in (-1, 256, BIG, 0.5, None):
        yield f"pad value {code}", fields(tiny_cnn(), "conv1", pad_value=code)
    for shape in ([7], [-6], [2, -3], [-2, -3], [0], [BIG], [2**32, 2**32], [1, 1, 1, 1, 6]):
        yield f"reshape to {shape}", fields(tiny_cnn(), "flat", shape=shape)
    for factor in ([1, 1], [0, 2], [2, -1], [2**15, 2**15], [BIG, 2], [2, 2, 2], [1.5, 2], 2, None):
        yield f"upsample factor {factor}", fields(chosen("upsample")[0], "larger", factor=factor)
    for fill in ("linear", "", 0, None):
        yield f"upsample fill {fill!r}", fields(chosen("upsample")[0], "larger", fill=fill)
    yield "zeros of a bipolar map", fields(chosen("upsample")[1], "larger", fill="zero")
    for field, content in (
        ("zero", BIG),
        ("lo", -BIG),
        ("hi", BIG),
        ("lo", 9),
        ("rounding", "up"),
        ("type", "bipolar"),
    ):
        yield f"requantize {field} {content}", fields(tiny_cnn(), "quant", **{field: content})
    for offset in (1, -1, BIG, -BIG, 2**63):
        yield f"lookup offset {offset}", fields(chosen("lookup")[0], "table", offset=offset)
    yield "lookup type", fields(chosen("lookup")[0], "table", type="uint2")
    for next in ("", "spike", "none", None):
        yield f"state next {next!r}", state(next=next)
    value = {"shape": [4], "type": "int16", "lo": -200, "hi": 200}
    for name in ("events", "u", "a\nb"):
        yield f"state name {name!r}", state(value={"name": name, **value})
    yield "state init", state(value={"name": "v", **value, "hi": 38})
    yield "concat of nothing", fields(chosen("concat")[-1], "both", inputs=[])
    yield (
        "doubled 40 times",
        changed(build.graph(chosen("concat")[-1].input, chosen("concat")[-1].ops[0]), _bomb),
    )


def _bomb(p: Parts) -> None:
    """Concats that double their input 40 times: a value of 10^12 elements from a few hundred bytes."""
    first = p.op("both")
    ops = [dict(first, name="b0", inputs=["x", "x"])]
    ops += [dict(first, name=f"b{i}", inputs=[f"b{i - 1}"] * 2) for i in range(1, 41)]
    p.model.update(ops=ops, output="b40")


def hostile_files() -> dict[str, bytes]:
    """All of them by name."""
    files = dict(truncated())
    for name, change in (*header_changes(), *model_changes(), *data_changes()):
        files[name] = changed(tiny_mlp(), change)
    files.update({name: changed(two_heads(), change) for name, change in several_changes()})
    files.update({name: changed(tiny_mlp(), change) for name, change in alone_changes()})
    files.update(other_models())
    return files
