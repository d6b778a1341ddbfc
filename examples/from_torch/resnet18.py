"""A ResNet-18 for images of 32x32, 16 to 128 channels: from float to firmware."""

from torch import nn, optim, randperm, relu, tensor

import edgeternary


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, o // i, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.down = nn.Sequential(nn.Conv2d(i, o, 1, 2), nn.BatchNorm2d(o)) if o > i else nn.Identity()

    def forward(self, x):
        return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))) + self.down(x))


def fit(model, x):
    optimizer = optim.Adam(model.train().parameters(), 2e-3)
    for chosen in randperm(len(x)).repeat(2).split(32):
        nn.functional.cross_entropy(model(x[chosen]), labels[chosen]).backward()
        optimizer.step(), optimizer.zero_grad()
    return model.eval()


images, labels = (tensor(array).long() for array in edgeternary.zoo.images("fashion-cnn"))
x = nn.ZeroPad2d(2)(images.movedim(3, 1).float()).repeat(1, 3, 1, 1)  # 1,000 in colour, 0 to 255
widths = [16, 16, 16, 32, 32, 64, 64, 128, 128]
layers, pixels = [nn.Conv2d(3, widths[0], 3, 1, 1)], edgeternary.nn.InputSpec.normalized(0.29, 0.35)
layers += [nn.BatchNorm2d(widths[0]), nn.ReLU(), *(Block(*widths[n : n + 2]) for n in range(len(widths) - 1))]
layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10)]
net = fit(nn.Sequential(*layers), pixels.values(x))
model = fit(edgeternary.nn.convert(net, x[:200], activations=4, inputs=pixels), x)
graph = edgeternary.lower(model, x[:1], name="resnet18")
edgeternary.testing.assert_bit_exact(graph, ["host", "cortex-m4"], x[-2:].movedim(1, -1).int().numpy())
project = edgeternary.compile(graph, board="nucleo_f446re", directory="resnet18", build=True)
print(project.measured, "as float:", (model(x).argmax(1) == net(pixels.values(x)).argmax(1)).float().mean())
