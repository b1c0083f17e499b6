"""Records the PyTorch side: `swa-align recorder > recorder.py`, then `python3 record.py`."""

import torch
from torch import nn
from torch.nn import functional as F

from recorder import Recorder


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()

    def forward(self, x):
        return self.relu(x + self.bn(self.conv(x)))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.bn, self.relu = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()
        self.block, self.fc = Block(4), nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.block(self.relu(self.bn(self.stem(x)))).mean((2, 3)))


def loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


torch.manual_seed(7)
model = Network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
recorder = Recorder(model)
batch = recorder.kink_free((torch.randn(64, 3, 6, 6), torch.randint(0, 5, (64,))), loss, optimizer, count=4, steps=2)
for _ in range(2):
    recorder.step(batch, loss=loss, optimizer=optimizer)
recorder.save("ref")
