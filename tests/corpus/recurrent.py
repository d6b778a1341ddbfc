"""GRU and LSTM over windows."""

from __future__ import annotations

import torch
import torch.nn as nn

from tests.corpus.entry import Entry, sensor


class GRUClassifier(nn.Module):
    def __init__(self, input_size=6, hidden_size=16, num_classes=5):
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        out, _ = self.gru(x)
        out = self.fc(out[:, -1, :])
        return out


class LSTMClassifier(nn.Module):
    def __init__(self, input_size=9, hidden_size=12, num_layers=2, num_classes=6):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(x.device)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(x.device)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


class DeepConvLSTM(nn.Module):
    def __init__(self, channels=6, classes=5, filters=8, hidden=12):
        super().__init__()
        self.conv1 = nn.Conv2d(1, filters, (5, 1))
        self.conv2 = nn.Conv2d(filters, filters, (5, 1))
        self.relu = nn.ReLU()
        self.lstm1 = nn.LSTM(filters * channels, hidden)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        x = x.unsqueeze(1)
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        x = x.permute(2, 0, 3, 1)
        x = x.reshape(x.shape[0], x.shape[1], -1)
        x, _ = self.lstm1(x)
        x = x[-1]
        x = self.dropout(x)
        return self.fc(x)


class CRNN(nn.Module):
    def __init__(self, n_mels=20, classes=6):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 8, (5, 5), stride=(2, 2)), nn.BatchNorm2d(8), nn.ReLU())
        self.rnn = nn.GRU(input_size=8 * 8, hidden_size=10, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(20, classes)

    def forward(self, x):
        x = self.conv(x)
        x = x.permute(0, 3, 1, 2).flatten(2)
        _, h = self.rnn(x)
        return self.fc(torch.cat((h[0], h[1]), dim=-1))


class CellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 8)
        self.linear = nn.Linear(8, 1)

    def forward(self, input):
        outputs = []
        h_t = torch.zeros(input.size(0), 8)
        c_t = torch.zeros(input.size(0), 8)
        for input_t in input.split(1, dim=1):
            h_t, c_t = self.cell(input_t.squeeze(1), (h_t, c_t))
            outputs.append(self.linear(h_t))
        return torch.cat(outputs, dim=1)


class CharRNN(nn.Module):
    """one step of a recurrent net by hand: input and hidden in, output and hidden out"""

    def __init__(self, input_size=10, hidden_size=16, output_size=4):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden):
        hidden = torch.tanh(self.i2h(input) + self.h2h(hidden))
        output = self.h2o(hidden)
        return output, hidden


ENTRIES = (
    Entry(
        "gru_har",
        "GRU for activities",
        GRUClassifier,
        sensor(24, 6),
        expected="refused",
        reasons=("= self.gru(x)",),
    ),
    Entry(
        "lstm_har",
        "LSTM for activities",
        LSTMClassifier,
        sensor(24, 9),
        expected="refused",
        reasons=("= self.lstm(x, (h0, c0))",),
    ),
    Entry(
        "deep_conv_lstm",
        "DeepConvLSTM for activities",
        DeepConvLSTM,
        sensor(24, 6),
        expected="refused",
        reasons=("= self.lstm1(x)",),
    ),
    Entry("crnn_keywords", "CRNN", CRNN, sensor(1, 20, 24), expected="refused", reasons=("= self.rnn(x)",)),
    Entry(
        "lstm_cell_loop",
        "pytorch/examples time_sequence_prediction",
        CellLoop,
        sensor(12, 3),
        "mse",
        expected="refused",
        reasons=("= self.cell(",),
    ),
    Entry(
        "rnn_step_by_hand",
        "PyTorch char RNN tutorial",
        CharRNN,
        (sensor(10), sensor(16)),
        ("cross_entropy", "mse"),
    ),
)
