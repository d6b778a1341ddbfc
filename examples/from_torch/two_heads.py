"""One body, two heads, a class and a group: trained as float, converted, trained on, compiled."""

import torch
from torch import nn

import edgeternary


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(1, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1)]
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten())
        self.kind, self.shoe = nn.Linear(32 * 49, 10), nn.Linear(32 * 49, 2)

    def forward(self, x):
        x = self.body(x)
        return self.kind(x), self.shoe(x)


def fit(model, x):
    optimizer = torch.optim.Adam(model.train().parameters(), 2e-3)
    for chosen in torch.randperm(len(x)).repeat(4).split(32):
        kind, shoe = model(x[chosen])
        (entropy(kind, labels[chosen]) + entropy(shoe, shoes[chosen])).backward()
        optimizer.step(), optimizer.zero_grad()
    return model.eval()


images, labels = (torch.tensor(array).long() for array in edgeternary.zoo.images("fashion-cnn"))
x, shoes = images.movedim(3, 1).float(), torch.isin(labels, torch.tensor([5, 7, 9])).long()
entropy, pixels = nn.functional.cross_entropy, edgeternary.nn.InputSpec.normalized(0.29, 0.35)
net = fit(TwoHeads(), pixels.values(x))
model = fit(edgeternary.nn.convert(net, x[:200], activations=4, inputs=pixels), x)
graph = edgeternary.lower(model, x[:1], name="two_heads")
edgeternary.testing.assert_bit_exact(graph, ["host", "cortex-m4"], x[-2:].movedim(1, -1).int().numpy())
project = edgeternary.compile(graph, board="nucleo_f446re", directory="two_heads", build=True)
same = [(a.argmax(1) == b.argmax(1)).float().mean() for a, b in zip(net(pixels.values(x)), model(x))]
print(project.estimates, project.measured, "of classes as in float: {:.0%}, {:.0%}".format(*same))
