"""Two small networks: recorded, and computed again with one mistake at a time.

    python3 mistakes.py FOLDER      writes NAME/ (the reference) and NAME.MISTAKE.npz
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402


class Maps(nn.Module):
    """Images in an order that is drawn, two convolutions, two dropouts on maps of one size."""

    def __init__(self):
        super().__init__()
        self.conv1, self.relu, self.pool = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.drop1 = nn.Conv2d(8, 16, 3, 2, 1), nn.Dropout(0.3)
        self.mix, self.drop2, self.head = nn.Conv2d(16, 16, 1), nn.Dropout(0.3), nn.Linear(16, 10)

    def forward(self, x):
        if self.training:
            x = x[torch.randperm(len(x))]
        x = self.drop1(self.conv2(self.pool(self.relu(self.conv1(x)))))
        return self.head(self.drop2(self.mix(x)).mean((2, 3)))


class Bright(nn.Module):
    def forward(self, x):
        return x + 100


class Darker(nn.Module):
    def forward(self, x):
        return x * 0.37


class Bytes(nn.Module):
    """Pixels from 0 to 255, and sums of many numbers."""

    def __init__(self):
        super().__init__()
        self.bright, self.darker, self.wide, self.head = Bright(), Darker(), nn.Linear(3072, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = self.darker(self.bright(x)).flatten(1)
        return self.head(torch.tanh(self.wide((x - 84.2) / 27.3)))


def images():
    x = torch.randn(8, 3, 16, 16)
    x[:, :, :, :6] = 0
    return x, torch.randint(0, 10, (8,))


def pixels():
    return torch.randint(0, 256, (16, 3, 32, 32)).float(), torch.randint(0, 10, (16,))


NETWORKS = {"maps": (Maps, images), "bytes": (Bytes, pixels)}


def instead(forward):
    """Another forward of a layer, given the layer and its input."""

    def plant(module):
        module.forward = lambda x: forward(module, x)

    return plant


def then(change):
    """What a layer gives, changed."""

    def plant(module):
        plain = module.forward
        module.forward = lambda x: change(plain(x))

    return plant


def padded(mode):
    return lambda m, x: F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), m.weight, m.bias, m.stride)


def shared(m, x):
    """Of several winners each has its part of the gradient."""
    return x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))


def last_lost(y):
    return torch.cat([y[:-1], torch.zeros_like(y[-1:])])


def one_channel(y):
    factor = torch.ones(y.shape[1])
    factor[3] = 1.5
    return y * factor[:, None, None]


def to_tf32(t):
    return ((t.detach().contiguous().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def linear_in(rounded):
    """Factors are rounded, sums are not."""
    return lambda m, x: F.linear(rounded(x), rounded(m.weight), m.bias)


def one_by_one(m, x):
    """A sum in float32 that adds one number after the other to a large one."""
    total = (m.bias + 1).expand(len(x), -1)
    for k in range(x.shape[1]):
        total = total + x[:, k : k + 1] * m.weight[:, k]
    return total - 1


def other_seed(model):
    torch.manual_seed(7)


def kept_apart(way):
    """Dropout by a mask that is kept from elsewhere."""

    def plant(model):
        masks = []
        plain = model.drop1.forward

        def first(x):
            y = plain(x)
            masks.append(y != 0)
            return y

        model.drop1.forward = first
        model.drop2.forward = lambda x: x * masks[-1] * (1 / 0.7 if way == "scaled" else 1) if model.training else x

    return plant


def on(layer, plant):
    return lambda model: plant(model.get_submodule(layer))


def half(model):
    for m in model.modules():
        if not list(m.children()):
            plain = m.forward
            m.forward = lambda x, plain=plain: plain(x).half().float()


MISTAKES = {
    "maps": {
        "right": lambda model: None,
        "replicate": on("conv1", instead(padded("replicate"))),
        "circular": on("conv2", instead(lambda m, x: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), m.weight, m.bias, m.stride))),
        "last": on("conv2", then(last_lost)),
        "channel": on("mix", then(one_channel)),
        "clamp": on("relu", instead(lambda m, x: x.clamp(min=0))),
        "ties": on("pool", instead(shared)),
        "seed": other_seed,
        "undropped": on("drop1", instead(lambda m, x: x)),
        "always": on("drop2", instead(lambda m, x: F.dropout(x, m.p, True))),
        "mask": kept_apart("scaled"),
        "half": half,
    },
    "bytes": {
        "right": lambda model: None,
        "wrapped": on("bright", then(lambda y: y % 256)),
        "floor": on("darker", then(torch.floor)),
        "tf32": on("wide", instead(linear_in(to_tf32))),
        "bfloat16": on("wide", instead(linear_in(lambda t: t.bfloat16().float()))),
        "order": on("wide", instead(one_by_one)),
    },
}  # fmt: skip


def start(name):
    torch.manual_seed(list(NETWORKS).index(name))
    make, batch = NETWORKS[name]
    return make(), batch()


def classify(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def plain(name, plant):
    """A step and an evaluation by a loop that knows no recorder; what is drawn is kept where it is an order."""
    model, batch = start(name)
    torch.manual_seed(100)
    plant(model)
    found, orders, randperm = {}, [], torch.randperm
    torch.randperm = lambda n: orders.append(randperm(n)) or orders[-1]

    def keep(at, t):
        found[at] = t.detach().clone()
        if t.requires_grad:
            t.register_hook(lambda g: found.__setitem__(f"{at}.grad", g.clone()))

    for prefix in ("", "step1/"):
        model.train(prefix == "")
        leaves = [(path, m) for path, m in model.named_modules() if not list(m.children())]
        handles = [
            m.register_forward_hook(lambda _m, _i, out, path=path, prefix=prefix: keep(f"{prefix}{path}.output", out))
            for path, m in leaves
        ]
        with torch.set_grad_enabled(prefix == ""):
            if prefix:
                model(batch[0])
            else:
                value = classify(model, batch)
                value.backward()
                found["loss"] = value.detach()
        for handle in handles:
            handle.remove()
    torch.randperm = randperm
    found |= {f"draw.{i}": order for i, order in enumerate(orders)}
    return {key: t.numpy() for key, t in found.items()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        model, batch = start(name)
        recorder = Recorder(model)
        torch.manual_seed(100)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        recorder.step(batch, loss=classify, optimizer=optimizer)
        model.eval()
        recorder.evaluate(batch[0])
        recorder.save(str(folder / name))
        for mistake, plant in MISTAKES[name].items():
            np.savez(folder / f"{name}.{mistake}.npz", **plain(name, plant))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
