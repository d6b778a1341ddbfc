"""lower() and convert() judge their example, and say how to quantise one that is no batch of codes."""

from __future__ import annotations

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import edgeternary  # noqa: E402
from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run.inputs import check_inputs  # noqa: E402

pytestmark = pytest.mark.torch

CODES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 2, 5, 3))).float()
CODES[0, 0, 0] = torch.tensor([0.0, 3.0, 255.0])


def net() -> torch.nn.Module:
    return torch.nn.Sequential(
        q.Conv2d(2, 4, 3), q.BatchNorm(4), q.Activation(2), q.Flatten(), q.Output(12, 3)
    )


REFUSED = {
    "negative fractions": (torch.randn(4, 2, 5, 3), {}, r"fractions.*input_type='int8', input_scale=0\.0"),
    "fractions up to 1": (CODES / 255, {}, r"fractions.*torch.round\(x \* 255\).*input_scale=1 / 255"),
    "positive fractions": (CODES / 7, {}, r"fractions.*torch.round\(x / 0.1\d*\).clamp\(0, 255\)"),
    "fractions of int8": (CODES / 7, {"input_type": "int8"}, r"clamp\(-128, 127\).*input_type='int8'"),
    "one fraction": (CODES + 0.5 * (CODES == 3), {}, "fractions"),
    "negative codes": (CODES - 9, {}, r"reaches from -9.*is uint8.*input_type='int9'"),
    "codes of more bits": (CODES * 100, {}, "reaches from 0 to 25,500.*input_type='uint15'"),
    "codes beyond 16 bits": (CODES * 1e6, {}, r"torch.round\(x / 77\d\d\).*int16"),
    "outside input_range": (CODES, {"input_range": (0, 99)}, "codes 0 to 99"),
    "zeros among bipolar codes": (CODES.clamp(-1, 1), {"input_type": "bipolar"}, "not bipolar.*-1 or"),
    "NaN": (torch.full((1, 2, 5, 3), torch.nan), {}, "NaN or infinity"),
    "infinity": (torch.full((1, 2, 5, 3), -torch.inf), {}, "NaN or infinity"),
    "complex numbers": (torch.zeros(1, 2, 5, 3, dtype=torch.complex64), {}, "no tensor of real numbers"),
    "no tensor": (np.zeros((1, 2, 5, 3)), {}, "no tensor.*ndarray"),
    "no sample": (torch.zeros(0, 2, 5, 3), {}, "none of them 0"),
    "no sample axis": (torch.zeros(4), {}, "has the shape"),
    "five axes": (torch.zeros(1, 2, 5, 3, 1), {}, "has the shape"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    example, options, message = REFUSED[case]
    with pytest.raises(EdgeTernaryError, match=rf"(?s){message}") as caught:
        lower(net(), example, **options)
    assert caught.value.why and caught.value.remedy


@pytest.mark.parametrize(
    ("example", "options"),
    [
        (CODES.to(torch.uint8), {}),
        (CODES.long(), {}),
        (CODES.to(torch.uint16), {}),
        (CODES.half(), {}),
        (CODES.double(), {}),
        (torch.zeros(1, 2, 5, 3), {"input_type": "bipolar"}),
        (torch.zeros(1, 2, 5, 3), {"input_range": (3, 9)}),
        (CODES.sub(128).sign().add(0.5).sign(), {"input_type": "bipolar"}),
        (CODES - 128, {"input_type": "int8"}),
        (CODES.bool(), {"input_type": "binary"}),
    ],
)
def test_codes_of_any_dtype_and_zeros_are_taken(example, options):
    assert lower(net(), example, **options).input.shape == (5, 3, 2)


def test_what_the_remedy_says_is_accepted():
    """The printed expression quantises fractions, and the model lowers with the printed options."""
    for case, (x, options, _) in REFUSED.items():
        if "fraction" not in case:
            continue
        with pytest.raises(EdgeTernaryError) as caught:
            lower(net(), x, **options)
        told = re.search(r"(torch\..*?\)(?:\.clamp\(.*?\))?), with (.*?);", caught.value.remedy)
        assert told, caught.value.remedy
        codes = eval(told[1], {"torch": torch, "x": x})
        graph = lower(net(), codes, **eval(f"dict({told[2]})"))
        inputs = edgeternary.quantize(graph, x.numpy().transpose(0, 2, 3, 1))
        check_inputs(graph, inputs)
        if graph.meta.input_scale not in (1 / 255,):  # x * 255 and x / (1 / 255) may differ at a tie
            np.testing.assert_array_equal(inputs, codes.numpy().transpose(0, 2, 3, 1))


def test_a_spiking_net_has_codes_of_eight_bits():
    body = torch.nn.Sequential(q.Linear(6, 4), q.LIF(4), q.Linear(4, 2), q.Readout(2))
    for coding in ("rate", "latency", "direct"):
        model = q.Spiking(body, 3, coding)
        for bad in (torch.rand(2, 6), torch.full((2, 6), 300.0)):
            with pytest.raises(EdgeTernaryError, match=r"fractions|reaches from"):
                lower(model, bad)
        graph = lower(model, torch.full((2, 6), 200), input_scale=1 / 255)
        assert graph.meta.input_scale == (1 / 255 if coding == "direct" else 1.0), "spikes have no scale"


def test_convert_takes_codes_only():
    model = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(12, 3)
    )
    with pytest.raises(EdgeTernaryError, match=r"(?s)example holds fractions.*InputSpec.from_data"):
        q.convert(model, torch.randn(4, 2, 5, 3))
    assert lower(q.convert(model, CODES.to(torch.uint8), quiet=True), CODES).output_value.shape == (3,)


@pytest.mark.parametrize(
    ("scale", "zero"),
    [(0.5, 3), ((0.5, 0.25), 3), (torch.tensor([0.5, 0.25]), [1, -2]), (np.float32(0.5), np.int64(4))],
)
def test_scales_and_zero_points_are_kept(scale, zero):
    graph = lower(net(), CODES, input_scale=scale, input_zero=zero)
    as_tuple = [tuple(n.tolist()) if hasattr(n, "shape") and n.shape else n for n in (scale, zero)]
    assert graph.meta.input_scale == as_tuple[0]
    assert graph.meta.input_zero == (tuple(zero) if isinstance(zero, list) else zero)


@pytest.mark.parametrize(
    "options",
    [{"input_scale": "1"}, {"input_scale": [0.5] * 3}, {"input_zero": 0.5}, {"input_zero": [1, 2, 3]},
     {"input_scale": None}, {"input_scale": [[1.0], [2.0]]}, {"input_scale": float("nan")}],
)  # fmt: skip
def test_bad_scales_are_refused(options):
    with pytest.raises(EdgeTernaryError, match=r"input_scale|input_zero|normal float32"):
        lower(net(), CODES, **options)
