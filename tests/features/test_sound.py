"""The front end for sound: its figures are those of the textbook, and every executor gives the same codes."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes, front, sound_of, with_samples, with_sound
from edgeternary.features.sound import DOUBLING
from edgeternary.ir import Graph, State
from edgeternary.ops import Dense, LogMel, Reshape, Shift, build
from edgeternary.ops.spectrum import GAIN, log2, magnitude, spectrum
from edgeternary.run import run
from tests.need import need
from tests.registry.faults import faulty_c

SMALL = Sound(samples=700, window=100, hop=60, bands=5, rate=8000, low=100, high=4000)


def clips(count: int, samples: int, seed: int = 0) -> np.ndarray:
    """Noise of any loudness, silence, and both ends of the samples."""
    rng = np.random.default_rng(seed)
    loud = 2.0 ** rng.uniform(-1, 15, (count, 1))
    found = np.clip(rng.normal(0, loud, (count, samples)), -32768, 32767).astype(np.int16)
    found[:4] = np.array([0, -32768, 32767, 1], np.int16)[:, None][:count]
    found[4:6] = np.where(np.arange(samples) % 7 < 3, -32768, 32767)
    return found


def mel(f: np.ndarray | float) -> np.ndarray:
    return 2595 * np.log10(1 + np.asarray(f) / 700)


def in_floats(sound: Sound, x: np.ndarray) -> np.ndarray:
    """(frames, bands) in dB of one clip: numpy's transform, triangles on the mel scale."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(sound.window) / sound.window)
    starts = range(0, len(x) - sound.window + 1, sound.hop)
    bins = np.abs([np.fft.rfft(x[s : s + sound.window] * window, sound.size) for s in starts])
    at = mel(np.arange(sound.size // 2 + 1) * sound.rate / sound.size)
    ends = np.linspace(mel(sound.low), mel(sound.high), sound.bands + 2)
    bands = [
        np.clip(np.minimum((at - a) / (b - a), (c - at) / (c - b)), 0, None)
        for (a, b), (_, c) in pairwise(pairwise(ends))
    ]
    return 20 * np.log10(bins @ np.transpose(bands) + 1e-9)


def test_the_pieces_of_the_arithmetic() -> None:
    rng = np.random.default_rng(0)
    for size in (16, 128, 512):
        y = rng.integers(-(2**20), 2**20, (size, 6))
        re, im = spectrum(y, 1, size // 2)
        right = 2 * np.fft.fft(y, axis=0)[1 : size // 2]
        assert np.abs(re + 1j * im - right).max() < 1e-4 * np.abs(right).max()
        assert np.abs(magnitude(re, im) / (GAIN * np.abs(right)) - 1).max() < 0.0025
    v = np.concatenate([rng.integers(1, 2**32, 5000), [1, 2, 3, 2**31, 2**32 - 1]])
    assert np.abs(log2(v) - 256 * np.log2(v)).max() < 0.6


@pytest.mark.parametrize("sound", [Sound(), Sound(bands=40, low=20, high=4000, window=640), SMALL])
def test_codes_are_levels_in_decibels(sound: Sound) -> None:
    rng = np.random.default_rng(1)
    x = np.clip(rng.normal(0, 3000, (3, sound.samples)).cumsum(1) / 20, -32768, 32767).astype(np.int16)
    found = codes(sound, x)
    assert found.shape == (3, sound.frames, sound.width, 1) and found.dtype == np.uint8
    wanted = np.array([in_floats(sound, clip) for clip in x])
    levels = (found[..., 0].astype(float) - sound.input_zero) * sound.input_scale
    inside = (found[..., 0] > 0) & (found[..., 0] < 255)
    assert inside.mean() > 0.9 and np.abs(levels - wanted)[inside].max() < 0.6 * sound.input_scale


def test_coefficients_are_those_of_tensorflow() -> None:
    sound = Sound(
        bands=40, low=20, high=4000, coefficients=10, peak=True, type="int8", scale=0.6, zero=80, floor=-120
    )
    rng = np.random.default_rng(2)
    x = np.clip(rng.normal(0, 2000, (2, 16000)).cumsum(1) / 30, -32768, 32767).astype(np.int16)
    found = codes(sound, x)[..., 0].astype(int)
    for clip, ours in zip(x, found):
        logs = (in_floats(sound, clip) / DOUBLING - np.log2(float(clip.max()))) * np.log(2)
        angles = np.pi * np.arange(10)[:, None] * (2 * np.arange(40) + 1) / 80
        wanted = np.sqrt(2 / 40) * logs @ np.cos(angles).T / sound.scale + sound.zero
        assert np.abs(ours - np.clip(np.rint(wanted), -128, 127)).max() <= 1


@pytest.mark.parametrize(
    "on",
    [
        "host",
        pytest.param("cortex-m4", marks=pytest.mark.emulator),
        pytest.param("cortex-m0plus", marks=pytest.mark.emulator),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_every_executor_gives_the_same_codes(on: str, seed: int) -> None:
    need("zig")
    rng = np.random.default_rng(seed)
    window, hop = int(rng.integers(17, 150)), int(rng.integers(5, 170))
    peak = bool(rng.integers(2))
    sound = Sound(
        samples=window + 3 * hop, window=window, hop=hop, bands=int(rng.integers(1, 7)), low=700, rate=8000,
        high=4000, type=str(rng.choice(["uint8", "int8", "uint4", "int3"])), peak=peak,
        floor=-70 if peak else 30, coefficients=1, scale=float(rng.uniform(0.05, 2)),
    )  # fmt: skip
    if seed == 0:
        sound = msgspec.structs.replace(sound, coefficients=0)
    x = clips(12, sound.samples, seed)
    found = front(sound).run(x.astype(np.int32)[:, None, :, None], on=on)
    np.testing.assert_array_equal(found.outputs, codes(sound, x))


def test_a_fault_in_the_c_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig")
    from edgeternary.run import host

    planted: list[str] = []
    broken = faulty_c(host.render, re.escape("mirrored[0] - z[0]"), "mirrored[0] - z[1]", planted)
    monkeypatch.setattr(host, "render", broken)
    graph, x = front(SMALL), clips(8, SMALL.samples)
    found = graph.run(x.astype(np.int32)[:, None, :, None], on="host").outputs
    assert planted
    assert np.any(found != codes(SMALL, x))


def spotter(frames: int) -> Graph:
    """Codes of `frames` frames to 3 sums."""
    value = build.value("input", (frames, SMALL.width, 1), SMALL.type)
    flat = Reshape(name="flat", inputs=("input",), shape=(value.size,))
    weights = build.codes(np.random.default_rng(5), (3, value.size), "ternary")
    dense = Dense(
        name="fc", inputs=("flat",), weights=weights, weight_type="ternary", bias=np.zeros(3, np.int32)
    )
    return build.graph(value, flat, dense, name="spotter")


def streaming(frames: int) -> Graph:
    """The same over the last `frames` frames, one frame a step."""
    value = build.value("input", (SMALL.width,), SMALL.type)
    past = build.value("past", (frames * SMALL.width,), SMALL.type)
    whole = spotter(frames)
    shift = Shift(name="frames", inputs=("past", "input"))
    dense = msgspec.structs.replace(whole.op("fc"), inputs=("frames",))
    state = State(past, np.zeros(past.shape, np.int32), "frames")
    return Graph("stream", value, (shift, dense), "fc", states=(state,))


def test_a_model_takes_samples() -> None:
    graph = with_sound(spotter(SMALL.frames), SMALL)
    assert sound_of(graph) == SMALL
    whole, x = with_samples(graph), clips(9, SMALL.samples)
    assert whole.input.type.name == "int16" and whole.input.shape == (1, SMALL.samples, 1)
    np.testing.assert_array_equal(
        run(whole, x[:, None, :, None]).outputs, run(graph, codes(SMALL, x)).outputs
    )


@pytest.mark.parametrize("on", ["numpy", "host"])
def test_a_stream_of_samples_gives_the_answers_of_the_whole_clip(on: str) -> None:
    """Its first window has window - hop zeros before the first samples."""
    need("zig")
    frames, steps = 4, 10
    stream = with_samples(streaming(frames), SMALL)
    x = clips(6, steps * SMALL.hop)
    found = run(stream, x.reshape(6, steps, SMALL.hop), on=on).outputs
    early = np.zeros((6, SMALL.window - SMALL.hop), np.int16)
    whole = msgspec.structs.replace(SMALL, samples=SMALL.window - SMALL.hop + steps * SMALL.hop)
    features = codes(whole, np.concatenate([early, x], 1))
    for step in range(frames - 1, steps):
        right = run(spotter(frames), features[:, step + 1 - frames : step + 1]).outputs
        np.testing.assert_array_equal(found[:, step], right)


def test_names_of_the_network_stay_apart() -> None:
    graph = spotter(SMALL.frames)
    dense = msgspec.structs.replace(graph.op("fc"), name="bands")
    graph = Graph("clash", graph.inputs, (graph.op("flat"), dense), "bands")
    assert with_samples(graph, SMALL).ops[0].name == "sound.bands"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"window": 4096}, "window = 4096"),
        ({"high": 9000.0}, "half of the rate"),
        ({"low": 5000.0, "high": 400.0}, "above low"),
        ({"type": "int16"}, "one of uint2"),
        ({"coefficients": 11}, "there are 10 bands"),
        ({"samples": 100}, "a window has 480"),
        ({"range": 0.0}, "1 to 192"),
    ],
)
def test_settings_that_make_no_sense(given: dict[str, object], text: str) -> None:
    with pytest.raises(EdgeTernaryError, match=text) as error:
        Sound(**given)  # type: ignore[arg-type]
    assert error.value.code == USAGE


def test_what_cannot_be_joined_is_refused() -> None:
    graph = spotter(SMALL.frames)
    with pytest.raises(EdgeTernaryError, match="does not say which front end"):
        with_samples(graph)
    with pytest.raises(EdgeTernaryError, match="does not fit"):
        with_samples(graph, Sound())
    with pytest.raises(EdgeTernaryError, match="a stream has no front end with peak"):
        with_samples(streaming(3), msgspec.structs.replace(SMALL, peak=True, floor=-60.0))
    meta = msgspec.structs.replace(graph.meta, info={"sound": '{"rate": "fast"}'})
    with pytest.raises(EdgeTernaryError, match="cannot be read"):
        sound_of(Graph("x", graph.inputs, graph.ops, "fc", meta=meta))
    with pytest.raises(EdgeTernaryError, match="band 0 is empty"):
        codes(Sound(bands=60, low=20, high=400), np.zeros((1, 16000), np.int16))
    with pytest.raises(EdgeTernaryError, match="reads int16"):
        codes(SMALL, np.zeros((1, 701), np.int16))


def test_a_shift_that_could_overflow_is_refused() -> None:
    (op,) = (op for op in front(Sound()).ops if isinstance(op, LogMel))
    x = build.value("samples", (480,), "int16")
    with pytest.raises(EdgeTernaryError, match=f"a shift of {op.shift - 1} can overflow"):
        msgspec.structs.replace(op, shift=op.shift - 1).infer([x])


@pytest.mark.parametrize("chunk", [1, 700])
def test_the_size_of_a_chunk_does_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeternary.ops import log_mel

    x = clips(3, SMALL.samples)
    whole = codes(SMALL, x)
    monkeypatch.setattr(log_mel, "CHUNK", chunk)
    np.testing.assert_array_equal(codes(SMALL, x), whole)
