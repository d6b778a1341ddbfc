"""The front end before a network, so that the model takes 16-bit samples."""

from dataclasses import replace

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.features.front import SAMPLES, ops_of
from edgeternary.features.sound import Sound
from edgeternary.ir import Graph, Op, State, Value, parse
from edgeternary.ops import Shift

NAMES = (SAMPLES, "frame", "recent", "bands", "cosines", "codes")
INFO = "sound"  # the key of Meta.info that holds the settings


def with_sound(graph: Graph, sound: Sound) -> Graph:
    """The same graph, whose metadata say which front end makes its input."""
    info = {**graph.meta.info, INFO: msgspec.json.encode(sound).decode()}
    return replace(graph, meta=msgspec.structs.replace(graph.meta, info=info))


def sound_of(graph: Graph) -> Sound | None:
    """The front end that the metadata name, or None. EdgeTernaryError for one that cannot be read."""
    text = graph.meta.info.get(INFO)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Sound)
    except (msgspec.DecodeError, EdgeTernaryError) as error:
        raise EdgeTernaryError(
            f"the front end of model {graph.name!r} cannot be read", str(error), "train the model again"
        ) from error


def with_samples(graph: Graph, sound: Sound | None = None) -> Graph:
    """The front end, then the network: the input is int16 samples.

    A network without states takes a clip, (1, samples, 1). One with states takes the `hop` new samples of a
    frame in each step, (hop,), and keeps the samples that windows share, zeros at first.

    sound  None: the one of the metadata
    EdgeTernaryError if there is none, or if its codes are not the network's input.
    """
    sound = sound or sound_of(graph)
    if sound is None:
        raise EdgeTernaryError(
            f"model {graph.name!r} does not say which front end makes its input",
            "its metadata have no `sound`",
            "train it on a data set of sounds, or use features.with_sound",
        )
    value = graph.input
    frames = 1 if graph.states else sound.frames
    if value.size != frames * sound.width or value.type != sound.codes:
        raise EdgeTernaryError(
            f"the front end does not fit model {graph.name!r}",
            f"it makes {frames} x {sound.width} codes of {sound.type}, the model reads "
            f"{' x '.join(map(str, value.shape))} of {value.type}",
            "use the settings that the model was trained with",
        )
    prefix = _prefix(graph)
    name = f"{prefix}{SAMPLES}"
    kind = parse("int16")
    first: list[Op] = []
    states: list[State] = []
    if not graph.states:
        x = Value(name, (1, sound.samples, 1), kind, kind.lo, kind.hi)
    else:
        x = Value(name, (sound.hop,), kind, kind.lo, kind.hi)
        first, states = _frame(sound, x, prefix)
    source = first[0].infer([states[0].value, x]) if first else x
    ops = [*first, *ops_of(sound, source, value.name, value.shape, prefix), *graph.ops]
    meta = msgspec.structs.replace(graph.meta, input_scale=1.0, input_zero=0)
    return replace(graph, inputs=(x,), ops=tuple(ops), states=(*states, *graph.states), meta=meta)


def _frame(sound: Sound, x: Value, prefix: str) -> tuple[list[Op], list[State]]:
    """The last `window` samples, where a step brings fewer: an op and the state that it moves on."""
    if sound.peak or sound.hop > sound.window:
        key = "peak = true" if sound.peak else f"hop = {sound.hop} above window = {sound.window}"
        raise EdgeTernaryError(
            f"a stream has no front end with {key}", "it comes frame by frame", "train with other settings"
        )
    if sound.hop == sound.window:
        return [], []
    name = f"{prefix}frame"
    recent = replace(x, name=f"{prefix}recent", shape=(sound.window,))
    shift = Shift(name=name, inputs=(recent.name, x.name))
    return [shift], [State(recent, np.zeros(recent.shape, np.int32), name)]


def _prefix(graph: Graph) -> str:
    """Of the names of the front end, so that they differ from those of the network."""
    taken = {*graph.values}
    prefix = ""
    while any(f"{prefix}{name}" in taken for name in NAMES):
        prefix += "sound."
    return prefix
