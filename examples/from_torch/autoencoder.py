"""An autoencoder that tells odd images by their error: trained as float, converted, trained on, compiled."""

import torch
from torch import nn

import edgeternary


def fit(model, x):
    optimizer = torch.optim.Adam(model.train().parameters(), 2e-3)
    for chosen in torch.randperm(len(x)).repeat(6).split(32):
        nn.functional.mse_loss(model(x[chosen]), wanted[chosen]).backward()
        optimizer.step(), optimizer.zero_grad()
    return model.eval()


images, labels = (torch.tensor(array) for array in edgeternary.zoo.images("fashion-cnn"))
x = images.reshape(len(images), 784).float()  # 0 to 255
pixels = edgeternary.nn.InputSpec.normalized(0.29, 0.35)
wanted = pixels.values(x)
layers = [nn.Flatten()]
for i, o in ((784, 64), (64, 64), (64, 8), (8, 64), (64, 64)):
    layers += [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU()]
net = fit(nn.Sequential(*layers, nn.Linear(64, 784)), wanted)
model = fit(edgeternary.nn.convert(net, x[:200], activations=4, inputs=pixels), x)
graph = edgeternary.lower(model, x[:1], name="autoencoder")
edgeternary.testing.assert_bit_exact(graph, ["host", "cortex-m4"], x[-2:].int().numpy())
project = edgeternary.compile(graph, board="nucleo_f446re", directory="autoencoder", build=True)
errors = [((m(z) - wanted) ** 2).mean().item() for m, z in ((net, wanted), (model, x))]
print(project.estimates, project.measured, "mean squared errors: {:.3f}, {:.3f}".format(*errors))
