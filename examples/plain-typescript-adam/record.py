"""Records the PyTorch side: `swa-align recorder > recorder.py`, then `python3 record.py`."""

import torch
from torch import nn
from torch.nn import functional as F

from recorder import Recorder

torch.manual_seed(3)
model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
recorder = Recorder(model)
for _ in range(3):
    batch = torch.randn(8, 6), torch.randint(0, 4, (8,))
    recorder.step(batch, loss=lambda model, batch: F.cross_entropy(model(batch[0]), batch[1]), optimizer=optimizer)
recorder.save("ref")
