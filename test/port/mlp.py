"""A reference of a small network that a page can compute in a few lines.

python3 mlp.py FOLDER
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402

torch.manual_seed(3)
model = nn.Sequential()
model.add_module("hidden", nn.Linear(12, 32))
model.add_module("act", nn.Tanh())
model.add_module("out", nn.Linear(32, 5))

recorder = Recorder(model)
recorder.evaluate(torch.randn(8, 12))
recorder.save(sys.argv[1])
