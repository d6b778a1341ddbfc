"""A TCN over series (N, channels, time), dilated and causal: from float to firmware."""

import torch
from torch import nn

import edgeternary


class TemporalBlock(nn.Module):
    def __init__(self, i, o, dilation):
        super().__init__()
        self.pad, self.skip = nn.ConstantPad1d((2 * dilation, 0), 0.0), nn.Conv1d(i, o, 1)
        self.conv, self.norm = nn.Conv1d(i, o, 3, dilation=dilation), nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(self.pad(x))) + self.skip(x))


def fit(model, x):
    optimizer = torch.optim.Adam(model.train().parameters(), 2e-3)
    for chosen in torch.randperm(len(x)).repeat(4).split(32):
        nn.functional.cross_entropy(model(x[chosen]), labels[chosen]).backward()
        optimizer.step(), optimizer.zero_grad()
    return model.eval()


images, labels = (torch.tensor(array).long() for array in edgeternary.zoo.images("fashion-cnn"))
x = images[..., 0].float()  # the rows of an image as 28 samples of 28 sensors, 0 to 255
spec = edgeternary.nn.InputSpec.normalized(0.29, 0.35)
blocks = [TemporalBlock(28, 32, 1), TemporalBlock(32, 32, 2), TemporalBlock(32, 32, 4)]
net = nn.Sequential(*blocks, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 10))
net = fit(net, spec.values(x))
model = fit(edgeternary.nn.convert(net, x[:200], activations=4, inputs=spec), x)
graph = edgeternary.lower(model, x[:1], name="tcn")
samples = x[-2:, :, None].movedim(1, 3).int().numpy()
edgeternary.testing.assert_bit_exact(graph, ["host", "cortex-m4"], samples)
project = edgeternary.compile(graph, board="nucleo_f446re", directory="tcn", build=True)
same = (model(x).argmax(1) == net(spec.values(x)).argmax(1)).float().mean()
print(project.estimates, project.measured, f"{same:.0%} of classes as in float")
