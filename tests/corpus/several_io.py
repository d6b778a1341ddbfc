"""More than one input or more than one output."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, image, sensor


class AgeAndGender(nn.Module):
    """one trunk, two heads: a class and a number"""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, 2, 1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gender = nn.Linear(16, 2)
        self.age = nn.Linear(16, 1)

    def forward(self, x):
        x = self.pool(self.backbone(x)).flatten(1)
        return self.gender(x), self.age(x)


class ImageAndVector(nn.Module):
    """a picture and the readings that came with it"""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.mlp = nn.Sequential(nn.Linear(5, 8), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(8 * 5 * 5 + 8, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, image, data):
        x1 = self.cnn(image)
        x2 = self.mlp(data)
        x = torch.cat((x1, x2), dim=1)
        return self.head(x)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 8, 5, 2), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 5, 2), nn.ReLU(inplace=True)
        )
        self.fc = nn.Sequential(nn.Linear(8 * 4 * 4 * 2, 32), nn.ReLU(inplace=True), nn.Linear(32, 1))
        self.sigmoid = nn.Sigmoid()

    def forward_once(self, x):
        output = self.cnn(x)
        output = output.view(output.size()[0], -1)
        return output

    def forward(self, input1, input2):
        output1 = self.forward_once(input1)
        output2 = self.forward_once(input2)
        output = torch.cat((output1, output2), 1)
        output = self.fc(output)
        output = self.sigmoid(output)
        return output


class AbsoluteDifference(nn.Module):
    """Koch's siamese network: a weighted distance between two embeddings"""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 16), nn.Sigmoid())
        self.out = nn.Linear(16, 1)

    def forward(self, x1, x2):
        distance = torch.abs(self.trunk(x1) - self.trunk(x2))
        return self.out(distance)


class DictOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.heads = nn.ModuleDict({"state": nn.Linear(32, 4), "load": nn.Linear(32, 1)})

    def forward(self, x):
        features = self.trunk(x)
        return {name: head(features) for name, head in self.heads.items()}


class AuxiliaryHead(nn.Module):
    """the second output exists in training alone"""

    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU())
        self.stage2 = nn.Sequential(nn.Conv2d(8, 12, 3, 2), nn.ReLU())
        self.aux = nn.Linear(8, 10)
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x1 = self.stage1(x)
        x2 = self.stage2(x1)
        out = self.fc(x2.mean((2, 3)))
        if self.training:
            return out, self.aux(x1.mean((2, 3)))
        return out


class Policy(nn.Module):
    """actor and critic in one model"""

    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 32)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)
        self.saved_actions = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        action_prob = F.softmax(self.action_head(x), dim=-1)
        state_values = self.value_head(x)
        return action_prob, state_values


class FeaturePyramid(nn.Module):
    """small detector: features of two sizes, the coarse one added to the fine one"""

    def __init__(self, anchors=2):
        super().__init__()
        self.c1 = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6())
        self.c2 = nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU6())
        self.lat1 = nn.Conv2d(8, 8, 1)
        self.lat2 = nn.Conv2d(12, 8, 1)
        self.smooth = nn.Conv2d(8, 8, 3, padding=1)
        self.cls = nn.Conv2d(8, anchors * 3, 3, padding=1)
        self.box = nn.Conv2d(8, anchors * 4, 3, padding=1)

    def forward(self, x):
        c1 = self.c1(x)
        c2 = self.c2(c1)
        p2 = self.lat2(c2)
        p1 = self.lat1(c1) + F.interpolate(p2, scale_factor=2, mode="nearest")
        p1 = F.relu(self.smooth(p1))
        return self.cls(p1), self.box(p1)


class TwoSensors(nn.Module):
    """accelerometer and gyroscope, each with its own branch and its own scale"""

    def __init__(self, classes=5):
        super().__init__()
        self.acc = nn.Sequential(nn.Conv1d(3, 8, 5), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2))
        self.gyro = nn.Sequential(nn.Conv1d(3, 8, 5), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2))
        self.fuse = nn.Sequential(nn.Conv1d(16, 16, 3), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.fc = nn.Linear(16, classes)

    def forward(self, acc, gyro):
        x = torch.cat([self.acc(acc), self.gyro(gyro)], dim=1)
        return self.fc(self.fuse(x))


ENTRIES = (
    Entry(
        "two_heads",
        "age and gender",
        AgeAndGender,
        image(3, 24),
        ("cross_entropy", "mse"),
        on=("cortex-m4", "hdl"),
    ),
    Entry(
        "image_and_vector",
        "forum question",
        ImageAndVector,
        (image(1, 24), Input((5,), -128, 127, 1 / 32)),
        on=("cortex-m4",),
    ),
    Entry("siamese", "pytorch/examples siamese_network", SiameseNetwork, (image(1, 28), image(1, 28)), "bce"),
    Entry(
        "siamese_distance",
        "Koch's siamese network",
        AbsoluteDifference,
        (sensor(64), sensor(64)),
        "bce_logits",
    ),
    Entry("dict_of_heads", "multi-task repository", DictOutput, sensor(24), ("cross_entropy", "mse")),
    Entry("auxiliary_head", "Inception-style auxiliary loss", AuxiliaryHead, image(1, 28)),
    Entry(
        "actor_critic",
        "pytorch/examples actor_critic",
        Policy,
        sensor(4),
        ("cross_entropy", "mse"),
        on=("hdl",),
    ),
    Entry(
        "feature_pyramid", "small anchor detector", FeaturePyramid, image(3, 24, 32), ("cross_entropy", "mse")
    ),
    Entry(
        "two_sensors", "accelerometer and gyroscope", TwoSensors, (sensor(3, 40), sensor(3, 40, scale=1 / 16))
    ),
)
