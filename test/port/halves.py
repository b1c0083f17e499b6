"""A network in few digits: recorded, computed again by other programs, and again with one mistake.

    python3 halves.py FOLDER      writes NAME/ (the reference) and NAME.float32.npz, NAME.rounded.npz, NAME.wrong.npz
"""

import contextlib
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.tanh = nn.Conv2d(3, 8, 3, padding=1), nn.Tanh()
        self.fc1, self.norm, self.act, self.fc2 = nn.Linear(8 * 36, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 10)

    def forward(self, x):
        x = self.fc1(self.tanh(self.conv(x)).flatten(1))
        return self.fc2(self.act(self.norm(x)))


def classify(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def autocast_inside(model, batch):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return classify(model, batch)


def around():
    return torch.autocast("cpu", dtype=torch.bfloat16)


# The model's type, what is round a step, the loss, the optimizer.
SGD, ADAM = (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}), (torch.optim.AdamW, {"lr": 1e-3})
HALVES = {
    "float16": (torch.float16, contextlib.nullcontext, classify, SGD),
    "bfloat16": (torch.bfloat16, contextlib.nullcontext, classify, SGD),
    "around": (torch.float32, around, classify, ADAM),
    "inside": (torch.float32, contextlib.nullcontext, autocast_inside, SGD),
}


def start(name):
    torch.manual_seed(list(HALVES).index(name))
    dtype, _, _, (kind, settings) = HALVES[name]
    model = Net().to(dtype)
    batch = torch.randn(16, 3, 6, 6).to(dtype), torch.randint(0, 10, (16,))
    return model, batch, kind(model.parameters(), **settings)


class TwoSums(nn.Linear):
    """The same in another order: two sums, each rounded."""

    def forward(self, x):
        k = self.in_features // 2
        return F.linear(x[:, :k], self.weight[:, :k]) + F.linear(x[:, k:], self.weight[:, k:], self.bias)


def plain(name, way):
    """Two steps by a loop that knows no recorder."""
    _, context, loss, (kind, settings) = HALVES[name]
    model, batch, _ = start(name)
    if way == "float32":
        model, batch, context, loss = model.float(), (batch[0].float(), batch[1]), contextlib.nullcontext, classify
    elif way == "rounded":
        model.fc1.__class__ = TwoSums
    else:
        model.norm.register_forward_hook(lambda _m, _i, out: out * 1.1)
    optimizer = kind(model.parameters(), **settings)
    found = {}
    for step in range(2):
        prefix = f"step{step}/" if step else ""

        def keep(path, t, prefix=prefix):
            found[f"{prefix}{path}.output"] = t
            t.register_hook(lambda g: found.__setitem__(f"{prefix}{path}.output.grad", g))

        handles = [m.register_forward_hook(lambda _m, _i, out, path=path: keep(path, out)) for path, m in model.named_children()]
        with context():
            value = loss(model, batch)
            optimizer.zero_grad()
            value.backward()
        found[f"{prefix}loss"] = value
        found |= {f"{prefix}{key}.grad": p.grad.clone() for key, p in model.named_parameters()}
        optimizer.step()
        found |= {f"{prefix}{key}": p.detach().clone() for key, p in model.named_parameters()}
        for handle in handles:
            handle.remove()
    return {key: t.detach().float().numpy() for key, t in found.items()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, context, loss, _) in HALVES.items():
        model, batch, optimizer = start(name)
        recorder = Recorder(model)
        for _ in range(2):
            with context():
                recorder.step(batch, loss=loss, optimizer=optimizer)
        recorder.save(str(folder / name))
        for way in ("float32", "rounded", "wrong"):
            np.savez(folder / f"{name}.{way}.npz", **plain(name, way))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
