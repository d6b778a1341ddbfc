"""MobileNetV2, 0.35 wide, for images of 32x32: from float to firmware."""

from torch import nn, optim, randperm, tensor

import edgeternary


class Block(nn.Sequential):
    def forward(self, x):
        y = super().forward(x)
        return x + y if x.shape == y.shape else y


def conv(i, o, size=1, step=1, groups=1):
    return nn.Conv2d(i, o, size, step, size // 2, 1, groups, False), nn.BatchNorm2d(o), nn.ReLU6()


def fit(model, x):
    optimizer = optim.Adam(model.train().parameters(), 2e-3)
    for chosen in randperm(len(x)).repeat(5).split(32):
        nn.functional.cross_entropy(model(x[chosen]), labels[chosen]).backward()
        optimizer.step(), optimizer.zero_grad()
    return model.eval()


images, labels = (tensor(array).long() for array in edgeternary.zoo.images("fashion-cnn"))
x = nn.ZeroPad2d(2)(images.movedim(3, 1).float()).repeat(1, 3, 1, 1)  # 1,000 in colour, 0 to 255
widths = [16] + [8] * 3 + [16] * 3 + [24] * 4 + [32] * 3 + [56] * 3 + [112]
layers, pixels = [*conv(3, 16, 3)], edgeternary.nn.InputSpec.normalized(0.29, 0.35)
for n, o in enumerate(widths[1:]):
    i, wide, step = widths[n], widths[n] * (6 if n else 1), 2 if n in (1, 3, 6, 13) else 1
    layers += [Block(*conv(i, wide)[: 3 * (n > 0)], *conv(wide, wide, 3, step, wide), *conv(wide, o)[:2])]
layers += [*conv(o, 1280), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10)]
net = fit(nn.Sequential(*layers), pixels.values(x))
model = fit(edgeternary.nn.convert(net, x[:200], activations=4, inputs=pixels), x)
graph = edgeternary.lower(model, x[:1], name="mobilenet_v2")
edgeternary.testing.assert_bit_exact(graph, ["host", "cortex-m4"], x[-2:].movedim(1, -1).int().numpy())
project = edgeternary.compile(graph, board="nucleo_f446re", directory="mobilenet_v2", build=True)
print(project.measured, "as float:", (model(x).argmax(1) == net(pixels.values(x)).argmax(1)).float().mean())
