"""Harm done to files of models with several inputs or outputs, and that form in files of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz.container import Parts


def several_changes() -> Iterator[tuple[str, Callable[[Parts], Any]]]:
    """Changes of the JSON of a model with two inputs and two outputs."""

    def change(**content: Any) -> Callable[[Parts], Any]:
        return lambda p: p.model.update(content)

    def meta(**content: Any) -> Callable[[Parts], Any]:
        return lambda p: p.model["meta"].update(content)

    def values(*change: Any, **more: Any) -> Callable[[Parts], Any]:
        """The inputs again in this order, the first with other fields."""

        def put(p: Parts) -> None:
            found = [dict(p.model["inputs"][i]) for i in change]
            found[0].update(more)
            p.model["inputs"] = found

        return put

    yield "format 1 of several", change(format=1)
    yield "format 3 of several", change(format=3)
    for key in ("inputs", "outputs"):
        yield f"no {key}", lambda p, key=key: p.model.pop(key)
        for content in (None, 7, "image", [], {}, [[]], ["image"] * 65, [None, None]):
            yield f"{key} of several are {content!r}"[:60], change(**{key: content})
    yield "an input as well", change(input={"name": "z", "shape": [1], "type": "uint8", "lo": 0, "hi": 255})
    yield "an output as well", change(output="both")
    yield "an input twice", values(0, 1, 1)
    yield "an input is gone", values(0)
    yield "an input of the name of a layer", values(0, 1, name="both")
    yield "an input of no name", values(0, 1, name="")
    yield "an input of another shape", values(0, 1, shape=[3, 2, 1])
    yield "an input of many elements", values(0, 1, shape=[2**40])
    yield "65 inputs", values(*[0] * 65)
    for names in (["both", "both"], ["both", "image"], ["both", "none"], ["both", ""], ["both"] * 100_000):
        yield f"outputs {names[:2]} of {len(names)}", change(outputs=names)
    yield "one scale", meta(input_scale=0.5)
    yield "one zero point", meta(input_zero=1)
    yield "one scale of logits", meta(logit_scale=0.5)
    yield "one list of labels", meta(labels=["a"])
    yield "a scale of no input", meta(inputs={"more": {}})
    yield "labels of no output", meta(outputs={"image": {"labels": ["a"]}})
    for scale in (0, -1.0, 1e-300, 1e300, "1", [1.0], None):
        yield f"a scale of {scale!r} of one input", meta(inputs={"image": {"scale": scale}})
    yield "a zero point out of reach", meta(inputs={"image": {"zero": 2**40}})
    yield "an unknown field of an input", meta(inputs={"image": {"labels": []}})
    yield "an unknown field of an output", meta(outputs={"both": {"scale": 1.0}})


def alone_changes() -> Iterator[tuple[str, Callable[[Parts], Any]]]:
    """The form for several, of a model with one input and one output."""

    def several(p: Parts) -> None:
        p.model.update(format=2, inputs=[p.model.pop("input")], outputs=[p.model.pop("output")])

    yield "format 2 of one", several
    yield "the name of the one input", lambda p: p.model["meta"].update(inputs={"pixels": {"scale": 0.5}})
    yield "the name of the one output", lambda p: p.model["meta"].update(outputs={"fc2": {}})
