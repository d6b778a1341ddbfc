"""Tables: a few numbers in, a class or a number out."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input


class IrisNet(nn.Module):
    # Input layer (4 features) --> hidden layers --> output (3 classes)
    def __init__(self, in_features=4, h1=8, h2=9, out_features=3):
        super().__init__()
        self.fc1 = nn.Linear(in_features, h1)
        self.fc2 = nn.Linear(h1, h2)
        self.out = nn.Linear(h2, out_features)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.out(x)
        return x


class TabularBatchNorm(nn.Module):
    def __init__(self, n_cont=12, layers=(32, 16), out_sz=2, p=0.5):
        super().__init__()
        self.bn_cont = nn.BatchNorm1d(n_cont)
        layerlist = []
        n_in = n_cont
        for i in layers:
            layerlist.append(nn.Linear(n_in, i))
            layerlist.append(nn.ReLU(inplace=True))
            layerlist.append(nn.BatchNorm1d(i))
            layerlist.append(nn.Dropout(p))
            n_in = i
        layerlist.append(nn.Linear(layers[-1], out_sz))
        self.layers = nn.Sequential(*layerlist)

    def forward(self, x_cont):
        x = self.bn_cont(x_cont)
        return self.layers(x)


class TabularEmbeddings(nn.Module):
    def __init__(self, emb_szs=((7, 4), (12, 6)), n_cont=6, out_sz=2):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_szs])
        self.emb_drop = nn.Dropout(0.4)
        self.bn_cont = nn.BatchNorm1d(n_cont)
        self.layers = nn.Sequential(
            nn.Linear(10 + n_cont, 24), nn.ReLU(inplace=True), nn.BatchNorm1d(24), nn.Linear(24, out_sz)
        )

    def forward(self, x_cat, x_cont):
        embeddings = []
        for i, e in enumerate(self.embeds):
            embeddings.append(e(x_cat[:, i]))
        x = torch.cat(embeddings, 1)
        x = self.emb_drop(x)
        x_cont = self.bn_cont(x_cont)
        x = torch.cat([x, x_cont], 1)
        return self.layers(x)


class MixedColumns(nn.Module):
    """five numbers, standardised with what the training set gave, then one-hot columns as they are"""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([120.0, 64.0, 30.5, 9.0, 201.0]))
        self.register_buffer("std", torch.tensor([40.0, 12.0, 8.0, 3.0, 25.0]))
        self.net = nn.Sequential(nn.Linear(11, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, x):
        numbers = (x[:, :5] - self.mean) / self.std
        flags = x[:, 5:]
        return self.net(torch.cat((numbers, flags), dim=1))


class Regressor(nn.Module):
    def __init__(self, n_features=8):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(n_features, 24),
            nn.ReLU(),
            nn.Linear(24, 12),
            nn.ReLU(),
            nn.Linear(12, 6),
            nn.ReLU(),
            nn.Linear(6, 1),
        )

    def forward(self, x):
        return self.model(x).squeeze(-1)


class Sonar(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(60, 32)
        self.act1 = nn.ReLU()
        self.layer2 = nn.Linear(32, 32)
        self.act2 = nn.ReLU()
        self.output = nn.Linear(32, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        x = self.act1(self.layer1(x))
        x = self.act2(self.layer2(x))
        x = self.sigmoid(self.output(x))
        return x


class ResidualMLP(nn.Module):
    """blocks of batch-norm, linear, ReLU, linear and a skip, as the tabular ResNet has them"""

    class Block(nn.Module):
        def __init__(self, d, d_hidden, dropout):
            super().__init__()
            self.normalization = nn.BatchNorm1d(d)
            self.linear_first = nn.Linear(d, d_hidden)
            self.activation = nn.ReLU()
            self.dropout_first = nn.Dropout(dropout)
            self.linear_second = nn.Linear(d_hidden, d)

        def forward(self, x):
            x_input = x
            x = self.normalization(x)
            x = self.linear_first(x)
            x = self.activation(x)
            x = self.dropout_first(x)
            x = self.linear_second(x)
            return x_input + x

    def __init__(self, d_in=10, d=16, d_out=3):
        super().__init__()
        self.first_layer = nn.Linear(d_in, d)
        self.blocks = nn.Sequential(self.Block(d, 24, 0.1), self.Block(d, 24, 0.1))
        self.prediction = nn.Sequential(nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, d_out))

    def forward(self, x):
        x = self.first_layer(x)
        x = self.blocks(x)
        return self.prediction(x)


class Mnist_Logistic(nn.Module):
    """weights that are parameters of the module itself"""

    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(64, 10) / 8)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, xb):
        return xb @ self.weights + self.bias


class SnnSelu(nn.Module):
    def __init__(self, d=13, h=24, n=3):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d, h), nn.SELU(), nn.AlphaDropout(0.05), nn.Linear(h, h), nn.SELU(), nn.Linear(h, n)
        )

    def forward(self, x):
        return self.net(x)


class QNetwork(nn.Module):
    """a policy's values from a vector of observations"""

    def __init__(self, n_observations=8, n_actions=4):
        super().__init__()
        self.layer1 = nn.Linear(n_observations, 32)
        self.layer2 = nn.Linear(32, 32)
        self.layer3 = nn.Linear(32, n_actions)

    def forward(self, x):
        x = F.relu(self.layer1(x))
        x = F.relu(self.layer2(x))
        return self.layer3(x)


NUMBERS = Input((12,), -128, 127, 1 / 32)

ENTRIES = (
    Entry("iris_mlp", "iris notebook", IrisNet, Input((4,), 0, 80, 0.1), on=("cortex-m4", "hdl")),
    Entry("tabular_bn_first", "fastai-like tabular model", TabularBatchNorm, NUMBERS, on=("cortex-m4",)),
    Entry(
        "tabular_embeddings",
        "fastai-like tabular model",
        TabularEmbeddings,
        (Input((2,), 0, 6, dtype=torch.int64), Input((6,), -128, 127, 1 / 32)),
        expected="refused",
        reasons=("embeddings.append(e(x_cat[:, i]))",),
    ),
    Entry("mixed_columns", "spreadsheet with one-hot columns", MixedColumns, Input((11,), 0, 255)),
    Entry(
        "regression_one_output",
        "California housing tutorial",
        Regressor,
        Input((8,), -128, 127, 1 / 40),
        "mse",
        on=("cortex-m4", "hdl"),
    ),
    Entry(
        "sonar_sigmoid",
        "binary classification tutorial",
        Sonar,
        Input((60,), scale=1 / 255),
        "bce",
        on=("hdl",),
    ),
    Entry("tabular_resnet", "rtdl ResNet", ResidualMLP, Input((10,), -128, 127, 1 / 32)),
    Entry("own_parameters", "PyTorch nn tutorial, logistic", Mnist_Logistic, Input((64,), 0, 16, 1 / 16)),
    Entry("selu_mlp", "self-normalising MLP", SnnSelu, Input((13,), -128, 127, 1 / 32)),
    Entry(
        "dqn",
        "PyTorch DQN tutorial",
        QNetwork,
        Input((8,), -128, 127, 1 / 32),
        "mse",
        on=("cortex-m4", "hdl"),
    ),
)
