"""A small network recorded as a reference, and run again by a plain loop with one mistake after the other.

    python3 mistakes.py FOLDER      writes reference/, right.npz and a NAME.npz for every mistake
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "leaky": nn.LeakyReLU(0.01),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "sigmoid": nn.Sigmoid(),
    "log_sigmoid": nn.LogSigmoid(),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(),
    "softsign": nn.Softsign(),
    "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(),
    "nothing": nn.Identity(),
}


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.act = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8, eps=1e-3), nn.GELU()
        self.inner, self.group, self.sum = nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8, eps=1e-3), Sum()
        self.silu, self.fc1, self.ln, self.tanh = nn.SiLU(), nn.Linear(8, 16), nn.LayerNorm(16, eps=1e-3), nn.Tanh()
        self.fc2, self.log = nn.Linear(16, 5), nn.LogSoftmax(1)

    def forward(self, x):
        x = self.act(self.bn(self.conv(x)))
        x = self.silu(self.sum(self.group(self.inner(x)), x))
        return self.log(self.fc2(self.tanh(self.ln(self.fc1(x.mean((2, 3)))))))


SETTINGS = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}


def start():
    """Trained a little, as it were: no parameter or buffer is all ones or zeros."""
    torch.manual_seed(7)
    model = Net()
    with torch.no_grad():
        for m in (model.bn, model.group, model.ln):
            m.weight.add_(0.3 * torch.randn_like(m.weight))
            m.bias.add_(0.3 * torch.randn_like(m.bias))
        model.bn.weight.mul_(3)  # some values are beyond 6, where ReLU6 is another than ReLU
        model.bn.running_mean.normal_(0, 0.5)
        model.bn.running_var.uniform_(0.5, 2)
    return model, (torch.randn(6, 3, 5, 5), torch.randint(0, 5, (6,)))


def loss_of(model, batch):
    return F.nll_loss(model(batch[0]), batch[1])


class Mistake:
    """What of the plain loop is another: the network, the optimizer's settings, the gradients, the step."""

    def __init__(self, plant=None, zero=True, gradients=None, step=lambda _, optimizer: optimizer.step(), **settings):
        self.plant, self.zero, self.gradients, self.step = plant, zero, gradients, step
        self.settings = SETTINGS | settings


def forward(layer, make):
    """Another function of a layer: `make(layer)` gives it."""

    def plant(model):
        module = model.get_submodule(layer)
        module.forward = make(module)

    return plant


def setting(layer, name, value):
    return lambda model: setattr(model.get_submodule(layer), name, value)


def normed(m, x, **other):
    how = {"running_mean": None, "running_var": None, "weight": m.weight, "bias": m.bias, "training": True, "eps": m.eps} | other
    return F.batch_norm(x, **how)


def by_deviation(m, x, correction=0, outside=False):
    mean, deviation = x.mean(-1, keepdim=True), (x.var(-1, correction=correction, keepdim=True) + (0 if outside else m.eps)).sqrt()
    return (x - mean) / (deviation + (m.eps if outside else 0)) * m.weight + m.bias


def biased(m):
    """A batch norm that keeps the biased variance."""
    plain = m.forward

    def run(x):
        if not m.training:
            return plain(x)
        before = m.running_var.clone()
        y = plain(x)
        with torch.no_grad():
            m.running_var = 0.9 * before + 0.1 * x.var((0, 2, 3), correction=0)
        return y

    return run


def twice(m):
    def run(x):
        if m.training:
            nn.BatchNorm2d.forward(m, x)
        return nn.BatchNorm2d.forward(m, x)

    return run


def decayed(model):
    for p in model.parameters():
        p.grad.add_(p.detach(), alpha=0.01)


def upwards(model, optimizer):
    before = [p.detach().clone() for p in model.parameters()]
    optimizer.step()
    with torch.no_grad():
        for p, old in zip(model.parameters(), before):
            p.copy_(2 * old - p)


def forgetful(_model, optimizer):
    optimizer.state.clear()
    optimizer.step()


MISTAKES = {
    "conv bias missing": Mistake(forward("conv", lambda m: lambda x: F.conv2d(x, m.weight, padding=1))),
    "conv bias twice": Mistake(forward("conv", lambda m: lambda x: F.conv2d(x, m.weight, m.bias, padding=1) + m.bias[:, None, None])),
    "linear bias missing": Mistake(forward("fc1", lambda m: lambda x: F.linear(x, m.weight))),
    "shortcut missing": Mistake(forward("sum", lambda m: lambda x, y: x + 0 * y)),
    "shortcut twice": Mistake(forward("sum", lambda m: lambda x, y: x + 2 * y)),
    "shortcut halved": Mistake(forward("sum", lambda m: lambda x, y: x + 0.3 * y)),
    "shortcut detached": Mistake(forward("sum", lambda m: lambda x, y: x + y.detach())),
    "gradients accumulated": Mistake(zero=False),
    "decay in gradient": Mistake(gradients=decayed, weight_decay=0),
    "decay missing": Mistake(weight_decay=0),
    "decay twice": Mistake(weight_decay=0.02),
    "decay another": Mistake(weight_decay=0.003),
    "momentum missing": Mistake(momentum=0),
    "momentum another": Mistake(momentum=0.5),
    "dampened": Mistake(dampening=0.9),
    "nesterov": Mistake(nesterov=True),
    "velocity forgotten": Mistake(step=forgetful),
    "ascent": Mistake(step=upwards),
    "lr twice": Mistake(lr=0.1),
    "lr another": Mistake(lr=0.02),
    "bn momentum": Mistake(setting("bn", "momentum", 0.9)),
    "bn momentum another": Mistake(setting("bn", "momentum", 0.01)),
    "bn updated twice": Mistake(forward("bn", twice)),
    "bn biased": Mistake(forward("bn", biased)),
    "bn eps": Mistake(setting("bn", "eps", 1e-5)),
    "bn running": Mistake(forward("bn", lambda m: lambda x: normed(m, x, running_mean=m.running_mean, running_var=m.running_var, training=False))),
    "bn without weight": Mistake(forward("bn", lambda m: lambda x: normed(m, x, weight=None))),
    "bn without bias": Mistake(forward("bn", lambda m: lambda x: normed(m, x, bias=None))),
    "bn batch in evaluation": Mistake(forward("bn", lambda m: lambda x: nn.BatchNorm2d.forward(m, x) if m.training else normed(m, x))),
    "group norm eps": Mistake(setting("group", "eps", 1e-2)),
    "group norm without eps": Mistake(setting("group", "eps", 0)),
    "layer norm eps": Mistake(setting("ln", "eps", 1e-5)),
    "layer norm unbiased": Mistake(forward("ln", lambda m: lambda x: by_deviation(m, x, correction=1))),
    "layer norm eps outside": Mistake(forward("ln", lambda m: lambda x: by_deviation(m, x, outside=True))),
    "layer norm not centred": Mistake(forward("ln", lambda m: lambda x: x / (x.square().mean(-1, keepdim=True) + m.eps).sqrt() * m.weight + m.bias)),
    "softmax": Mistake(forward("log", lambda m: lambda x: x.softmax(1))),
    "logits": Mistake(forward("log", lambda m: lambda x: 1 * x)),
    "relu after linear": Mistake(forward("fc2", lambda m: lambda x: F.linear(x, m.weight, m.bias).relu())),
} | {f"act {name}": Mistake(forward("act", lambda m, f=f: lambda x: f(x) + 0)) for name, f in ACTIVATIONS.items() if name != "gelu"}  # fmt: skip


def plain(mistake):
    """Two steps and an evaluation by a loop that knows no recorder."""
    model, batch = start()
    optimizer = torch.optim.SGD(model.parameters(), **mistake.settings)
    if mistake.plant is not None:
        mistake.plant(model)
    found = {}
    prefix = ""

    def keep(path, result):
        at = f"{prefix}{path}.output"
        found[at] = result.detach().clone()
        if result.requires_grad:
            result.register_hook(lambda g: found.__setitem__(f"{at}.grad", g.clone()))

    for path, m in model.named_modules():
        if not list(m.children()):
            m.register_forward_hook(lambda _m, _i, out, path=path: keep(path, out))
    for step in range(2):
        prefix = f"step{step}/" if step else ""
        value = loss_of(model, batch)
        if mistake.zero:
            optimizer.zero_grad()
        value.backward()
        if mistake.gradients is not None:
            mistake.gradients(model)
        found[f"{prefix}loss"] = value.detach()
        found |= {f"{prefix}{key}.grad": p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
        mistake.step(model, optimizer)
        for key, p in model.named_parameters():
            found[f"{prefix}{key}"] = p.detach().clone()
            velocity = optimizer.state[p].get("momentum_buffer")
            if velocity is not None:
                found[f"{prefix}{key}.momentum"] = velocity.clone()
        found |= {f"{prefix}{key}": b.clone() for key, b in model.named_buffers() if b.is_floating_point()}
    prefix = "step2/"
    model.eval()
    with torch.no_grad():
        model(batch[0])
    return {key: t.numpy() for key, t in found.items()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    model, batch = start()
    optimizer = torch.optim.SGD(model.parameters(), **SETTINGS)
    recorder = Recorder(model)
    for _ in range(2):
        recorder.step(batch, loss=loss_of, optimizer=optimizer)
    recorder.evaluate(batch[0])
    recorder.save(str(folder / "reference"))
    np.savez(folder / "right.npz", **plain(Mistake()))
    for name, mistake in MISTAKES.items():
        np.savez(folder / f"{name}.npz", **plain(mistake))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
