"""Spikes and few-bit layers that other projects define: neurons, BitLinear, binarised layers, QuantStub."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, image


class FastSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input_, slope):
        ctx.save_for_backward(input_)
        ctx.slope = slope
        return (input_ > 0).float()

    @staticmethod
    def backward(ctx, grad_output):
        (input_,) = ctx.saved_tensors
        return grad_output / (ctx.slope * torch.abs(input_) + 1.0) ** 2, None


class Leaky(nn.Module):
    """membrane potential decays by beta; a spike takes the threshold off it"""

    def __init__(self, beta, threshold=1.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def init_leaky(self):
        return torch.zeros(1)

    def forward(self, input_, mem):
        reset = (mem > self.threshold).float().detach()
        mem = self.beta * mem + input_ - reset * self.threshold
        spk = FastSigmoid.apply(mem - self.threshold, 25)
        return spk, mem


class SpikingMLP(nn.Module):
    def __init__(self, num_steps=5, beta=0.95):
        super().__init__()
        self.num_steps = num_steps
        self.fc1 = nn.Linear(784, 32)
        self.lif1 = Leaky(beta=beta)
        self.fc2 = nn.Linear(32, 10)
        self.lif2 = Leaky(beta=beta)

    def forward(self, x):
        mem1 = self.lif1.init_leaky()
        mem2 = self.lif2.init_leaky()
        spk2_rec = []
        mem2_rec = []
        for _ in range(self.num_steps):
            cur1 = self.fc1(x)
            spk1, mem1 = self.lif1(cur1, mem1)
            cur2 = self.fc2(spk1)
            spk2, mem2 = self.lif2(cur2, mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec, dim=0).sum(0)


class BitLinear(nn.Linear):
    """RMS norm, eight-bit activations with a step for each sample, ternary weights"""

    def __init__(self, in_features, out_features, bias=False, QuantType="Ternary", NormType="RMS"):
        super().__init__(in_features, out_features, bias=bias)
        self.QuantType, self.NormType = QuantType, NormType

    def activation_quant(self, x):
        scale = 127.0 / x.abs().max(dim=-1, keepdim=True).values.clamp_(min=1e-5)
        return (x * scale).round().clamp_(-128, 127) / scale

    def weight_quant(self, w):
        mag = w.abs().mean().clamp_(min=1e-5)
        return (w / mag).round().clamp_(-1, 1) * mag

    def forward(self, x):
        w = self.weight
        x_norm = x / (x**2).mean(dim=-1, keepdim=True).sqrt().clamp(min=1e-6)
        x_quant = x_norm + (self.activation_quant(x_norm) - x_norm).detach()
        w_quant = w + (self.weight_quant(w) - w).detach()
        return F.linear(x_quant, w_quant)


class FCMNIST(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.fc1 = BitLinear(16 * 16, width)
        self.fc2 = BitLinear(width, width)
        self.fcl = BitLinear(width, 10)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fcl(x)
        return x


class BinarizeF(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor):
        return tensor.sign()

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class BinarizeConv2d(nn.Conv2d):
    def forward(self, input):
        if input.size(1) != 1:
            input = BinarizeF.apply(input)
        return F.conv2d(input, BinarizeF.apply(self.weight), None, self.stride, self.padding)


class BinaryCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = BinarizeConv2d(1, 8, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = BinarizeConv2d(8, 12, 3, stride=2, bias=False)
        self.bn2 = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 6 * 6, 10)

    def forward(self, x):
        x = F.hardtanh(self.bn1(self.conv1(x)))
        x = F.hardtanh(self.bn2(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))


class QuantReady(nn.Module):
    """stubs for torch's own quantisation, and additions as modules"""

    def __init__(self):
        super().__init__()
        self.quant = torch.ao.quantization.QuantStub()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(8)
        self.skip_add = torch.ao.nn.quantized.FloatFunctional()
        self.fc = nn.Linear(8, 10)
        self.dequant = torch.ao.quantization.DeQuantStub()

    def forward(self, x):
        x = self.quant(x)
        x = self.relu(self.bn(self.conv(x)))
        x = self.skip_add.add_relu(x, self.bn2(self.conv2(x)))
        x = x.mean([2, 3])
        x = self.fc(x)
        return self.dequant(x)


ENTRIES = (
    Entry(
        "spiking_mlp",
        "snnTorch tutorial 5",
        SpikingMLP,
        Input((784,), scale=1 / 255),
        expected="refused",
        reasons=("return (input_ > 0).float()", "reset = (mem > self.threshold)"),
    ),
    Entry(
        "bit_linear",
        "cpldcpu/BitNetMCU",
        FCMNIST,
        image(1, 16),
        expected="refused",
        reasons=("x = F.relu(self.fc1(x))", "x = F.relu(self.fc2(x))", "x = self.fcl(x)"),
    ),
    Entry(
        "binarize_conv",
        "itayhubara/BinaryNet.pytorch",
        BinaryCNN,
        image(1, 28),
        expected="refused",
        reasons=("x = F.hardtanh(self.bn1(self.conv1(x)))",),
    ),
    Entry("quant_stubs", "PyTorch static quantisation tutorial", QuantReady, image(3, 24)),
)
