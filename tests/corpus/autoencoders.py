"""What comes out is as large as what went in: autoencoders, denoisers, labels for each pixel."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.corpus.entry import Entry, Input, image, sensor


class AnomalyAutoencoder(nn.Module):
    """deep autoencoder of machine sounds: ten layers, eight numbers in the middle"""

    def __init__(self, input_dim=160, h=32):
        super().__init__()

        def block(a, b):
            return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())

        self.encoder = nn.Sequential(block(input_dim, h), block(h, h), block(h, h), block(h, h), block(h, 8))
        self.decoder = nn.Sequential(
            block(8, h), block(h, h), block(h, h), block(h, h), nn.Linear(h, input_dim)
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class MLPAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(28 * 28, 48), nn.ReLU(True), nn.Linear(48, 24), nn.ReLU(True), nn.Linear(24, 8)
        )
        self.decoder = nn.Sequential(
            nn.Linear(8, 24),
            nn.ReLU(True),
            nn.Linear(24, 48),
            nn.ReLU(True),
            nn.Linear(48, 28 * 28),
            nn.Sigmoid(),
        )

    def forward(self, x):
        x = self.encoder(x)
        x = self.decoder(x)
        return x


class ConvAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.t_conv1 = nn.ConvTranspose2d(4, 8, 2, stride=2)
        self.t_conv2 = nn.ConvTranspose2d(8, 1, 2, stride=2)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.pool(x)
        x = F.relu(self.conv2(x))
        x = self.pool(x)  # compressed representation
        x = F.relu(self.t_conv1(x))
        x = torch.sigmoid(self.t_conv2(x))
        return x


class UpsampleAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 4, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(4, 8, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(8, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class DoubleConv(nn.Module):
    """(convolution => [BN] => ReLU) * 2"""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.double_conv(x)


class Up(nn.Module):
    """Upscaling then double conv"""

    def __init__(self, in_channels, out_channels, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(in_channels + out_channels, out_channels)
        else:
            self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
            self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        # input is CHW
        diffY = x2.size()[2] - x1.size()[2]
        diffX = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diffX // 2, diffX - diffX // 2, diffY // 2, diffY - diffY // 2])
        x = torch.cat([x2, x1], dim=1)
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, n_channels=3, n_classes=3, bilinear=False):
        super().__init__()
        self.inc = DoubleConv(n_channels, 8)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(16, 32))
        self.up1 = Up(32, 16, bilinear)
        self.up2 = Up(16, 8, bilinear)
        self.outc = nn.Conv2d(8, n_classes, kernel_size=1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x = self.up1(x3, x2)
        x = self.up2(x, x1)
        logits = self.outc(x)
        return logits


class SegmentationFCN(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU())
        self.body = nn.Sequential(
            nn.Conv2d(12, 16, 3, 2, 1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=2, dilation=2),
            nn.ReLU(),
        )
        self.head = nn.Conv2d(16, num_classes, 1)

    def forward(self, x):
        f = self.body(self.stem(x))
        y = self.head(f)
        return F.interpolate(y, size=x.shape[2:], mode="nearest")


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 32)
        self.fc21 = nn.Linear(32, 8)
        self.fc22 = nn.Linear(32, 8)
        self.fc3 = nn.Linear(8, 32)
        self.fc4 = nn.Linear(32, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


class VibrationAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv1d(3, 8, 7, stride=2, padding=3),
            nn.ReLU(),
            nn.Conv1d(8, 4, 7, stride=2, padding=3),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose1d(4, 8, 7, stride=2, padding=3, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose1d(8, 3, 7, stride=2, padding=3, output_padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class DnCNN(nn.Module):
    """the network says what the noise is, and that is taken off the picture"""

    def __init__(self, channels=1, num_of_layers=4, features=8):
        super().__init__()
        layers = [nn.Conv2d(channels, features, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        for _ in range(num_of_layers - 2):
            layers.append(nn.Conv2d(features, features, 3, padding=1, bias=False))
            layers.append(nn.BatchNorm2d(features))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(features, channels, 3, padding=1, bias=False))
        self.dncnn = nn.Sequential(*layers)

    def forward(self, x):
        noise = self.dncnn(x)
        return x - noise


class SuperResolution(nn.Module):
    def __init__(self, upscale_factor=3):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(1, 16, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(16, 8, (3, 3), (1, 1), (1, 1))
        self.conv3 = nn.Conv2d(8, upscale_factor**2, (3, 3), (1, 1), (1, 1))
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        x = self.pixel_shuffle(self.conv3(x))
        return x


ENTRIES = (
    Entry(
        "anomaly_autoencoder",
        "MLPerf Tiny anomaly detection",
        AnomalyAutoencoder,
        sensor(160),
        "mse",
        on=("cortex-m4", "hdl"),
    ),
    Entry(
        "mlp_autoencoder",
        "autoencoder blog post",
        MLPAutoencoder,
        Input((784,), scale=1 / 255),
        "mse",
        on=("cortex-m4",),
    ),
    Entry("conv_autoencoder", "Udacity convolutional autoencoder", ConvAutoencoder, image(1, 28), "mse"),
    Entry(
        "upsample_autoencoder",
        "autoencoder with nearest upsampling",
        UpsampleAutoencoder,
        image(1, 28),
        "mse",
    ),
    Entry("unet_transposed", "milesial/Pytorch-UNet", UNet, image(3, 16, 24)),
    Entry(
        "unet_bilinear",
        "milesial/Pytorch-UNet",
        lambda: UNet(bilinear=True),
        image(3, 16, 24),
    ),
    Entry("segmentation_nearest", "FCN head with interpolate", SegmentationFCN, image(3, 32, 24)),
    Entry(
        "vae",
        "pytorch/examples vae",
        VAE,
        image(1, 28),
        ("mse", "mse", "mse"),
        expected="refused",
        reasons=("eps = torch.randn_like(std)",),
    ),
    Entry(
        "vibration_autoencoder", "predictive maintenance notebook", VibrationAutoencoder, sensor(3, 64), "mse"
    ),
    Entry("dncnn", "DnCNN-PyTorch", DnCNN, image(1, 20), "mse"),
    Entry("super_resolution", "PyTorch super-resolution tutorial", SuperResolution, image(1, 16, 12), "mse"),
)
