"""Two steps of a small classifier by each of some optimizers: recorded, and made again with one mistake at a time.

    python3 stepMistakes.py FOLDER      writes NAME/ (the reference) and NAME.MISTAKE.npz
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402

STEPS, CLASSES = 2, 5
SLOTS = {"momentum_buffer": "momentum"}

# The class, its settings, and the weight decay of weights; biases have none.
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}, 0.02),
    "adam": (torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-5}, 0.05),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "betas": (0.8, 0.99)}, 0.05),
    "rmsprop": (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.95, "eps": 1e-4, "momentum": 0.5}, 0.02),
}


def start():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, CLASSES))
    return model, (torch.randn(10, 12), torch.randint(0, CLASSES, (10,)))


def grouped(model, make, settings, decay):
    weights = [p for p in model.parameters() if p.dim() > 1]
    biases = [p for p in model.parameters() if p.dim() == 1]
    return make([{"params": biases, "weight_decay": 0.0}, {"params": weights, "weight_decay": decay}], **settings)


def classify(model, batch, **settings):
    return F.cross_entropy(model(batch[0]), batch[1], **settings)


def other(make=None, decay=None, everywhere=False, **changed):
    """An optimizer of another class, or with other settings."""

    def build(model, name):
        usual, settings, usual_decay = OPTIMIZERS[name]
        settings = settings | changed
        by = usual_decay if decay is None else decay
        if everywhere:
            return (make or usual)(model.parameters(), weight_decay=by, **settings)
        return grouped(model, make or usual, settings, by)

    return {"build": build}


def loss_with(**settings):
    return {"loss": lambda model, batch: classify(model, batch, **settings)}


MISTAKES = {
    "sgd": {
        "right": {},
        "decay on biases": other(everywhere=True),
        "no decay": other(decay=0.0),
        "plain momentum": other(nesterov=False),
        "momentum": other(momentum=0.6),
        "not cleared": {"cleared": False},
        "clipped": {"before": lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.05)},
        "summed": loss_with(reduction="sum"),
        "smoothed": loss_with(label_smoothing=0.1),
        "weighed": loss_with(weight=torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])),
    },
    "adam": {
        "right": {},
        "adamw": other(torch.optim.AdamW),
        "beta2": other(betas=(0.8, 0.95)),
        "eps": other(eps=1e-3),
        "rate": other(lr=0.004),
    },
    "adamw": {"right": {}, "adam": other(torch.optim.Adam), "decay": other(decay=0.2)},
    "rmsprop": {"right": {}, "alpha": other(alpha=0.9), "centered": other(centered=True)},
}


def plain(name, build=None, loss=classify, before=None, cleared=True):
    """The steps by a loop that knows no recorder."""
    model, batch = start()
    optimizer = (build or (lambda m, n: grouped(m, *OPTIMIZERS[n])))(model, name)
    found = {}
    for k in range(STEPS):
        prefix = f"step{k}/" if k else ""

        def keep(at, t, prefix=prefix):
            found[prefix + at] = t.detach().clone()
            t.register_hook(lambda g: found.__setitem__(f"{prefix}{at}.grad", g.clone()))

        handles = [m.register_forward_hook(lambda _m, _i, y, p=p: keep(f"{p}.output", y)) for p, m in model.named_children()]
        if cleared:
            optimizer.zero_grad()
        value = loss(model, batch)
        value.backward()
        for handle in handles:
            handle.remove()
        if before:
            before(model)
        found |= {f"{prefix}{p}.grad": t.grad.clone() for p, t in model.named_parameters()}
        optimizer.step()
        found[f"{prefix}loss"] = value.detach()
        for p, t in model.named_parameters():
            found[prefix + p] = t.detach().clone()
            for key, slot in optimizer.state[t].items():
                found[f"{prefix}{p}.{SLOTS.get(key, key)}"] = torch.as_tensor(slot).clone()
    return {key: t.numpy() for key, t in found.items()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in OPTIMIZERS:
        model, batch = start()
        recorder = Recorder(model)
        optimizer = grouped(model, *OPTIMIZERS[name])
        for _ in range(STEPS):
            recorder.step(batch, loss=classify, optimizer=optimizer)
        recorder.save(str(folder / name))
        for mistake, planted in MISTAKES[name].items():
            np.savez(folder / f"{name}.{mistake}.npz", **plain(name, **planted))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
