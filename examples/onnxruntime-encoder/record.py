"""Records the PyTorch side: `swa-align recorder > recorder.py`, then `python3 record.py`."""

import torch
from torch import nn
from torch.nn import functional as F

from recorder import Recorder


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(n, length, width))


class Encoder(nn.Module):
    def __init__(self, width=32, heads=4):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


torch.manual_seed(5)
model = Encoder()
for name, parameter in model.named_parameters():
    # As after training: of a norm's ones and zeros a port could forget to make use.
    if name.startswith("norm"):
        nn.init.normal_(parameter, 1.0 if name.endswith("weight") else 0.0, 0.3)
recorder = Recorder(model)
recorder.evaluate(2 * torch.randn(2, 6, 32))
recorder.save("ref")
