"""Small networks of five kinds: each recorded as a reference, run again by a plain loop, and again with one mistake.

    python3 networks.py FOLDER      writes NAME/ (the reference), NAME.npz and NAME.wrong.npz for every network
"""

import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from recorder import Recorder  # noqa: E402


class Residual(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU(inplace=True)
        fits = stride == 1 and inside == outside
        self.shortcut = nn.Identity() if fits else nn.Sequential(
            nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
        )  # fmt: skip

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.layers = nn.Sequential(Residual(8, 8, 1), Residual(8, 16, 2), Residual(16, 16, 1))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 2)
        return self.fc(F.adaptive_avg_pool2d(self.layers(x), 1).flatten(1))


class Squeeze(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.down, self.up = nn.Conv2d(width, width // 2, 1), nn.Conv2d(width // 2, width, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.Hardswish())
        self.depthwise = nn.Conv2d(8, 8, 5, 1, 2, groups=8, bias=False)
        self.norm, self.squeeze, self.point = nn.BatchNorm2d(8, eps=1e-3), Squeeze(8), nn.Conv2d(8, 12, 1)
        self.dropout, self.head = nn.Dropout(0.2), nn.Linear(12, 5)

    def forward(self, x):
        x = F.hardswish(self.norm(self.depthwise(self.stem(x))))
        return self.head(self.dropout(self.point(self.squeeze(x)).mean((2, 3))))


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.proj(y.transpose(1, 2).reshape(n, length, width))


class Encoder(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.ln1, self.attention = nn.LayerNorm(width), Attention(width, heads, causal)
        self.ln2, self.mlp = nn.LayerNorm(width), nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16) * 0.1)
        self.place = nn.Parameter(torch.randn(1, 17, 16) * 0.1)
        self.blocks = nn.Sequential(Encoder(16, 2, False), Encoder(16, 2, False))
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.place
        return self.head(self.norm(self.blocks(x))[:, 0])


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(50, 16), nn.Embedding(12, 16)
        self.h = nn.ModuleList([Encoder(16, 2, True), Encoder(16, 2, True)])
        self.ln_f, self.lm_head = nn.LayerNorm(16), nn.Linear(16, 50, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, tokens, labels=None):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return {"logits": logits, "loss": F.cross_entropy(logits.flatten(0, 1), labels.flatten())}


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm, self.head = nn.Embedding(30, 8), nn.LSTM(8, 12, 2, batch_first=True), nn.Linear(12, 4)

    def forward(self, tokens):
        return self.head(self.lstm(self.embed(tokens))[0][:, -1])


def classify(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def language(model, batch):
    return model(**batch)["loss"]


def images(n, side):
    return torch.randn(n, 3, side, side), torch.randint(0, 5, (n,))


def doubled(module):
    """Another epsilon, another form of an activation, a bias left out …: a plain mistake in one layer."""
    plain = module.forward
    module.forward = lambda *args: mapped(plain(*args), lambda y: y * 1.01)


def mapped(value, change):
    return tuple(mapped(v, change) for v in value) if isinstance(value, tuple) else change(value)


def other_eps(module):
    module.eps *= 100


def tanh_gelu(module):
    module.approximate = "tanh"


SGD = (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4})
ADAM = (torch.optim.Adam, {"lr": 1e-3})
ADAMW = (torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.1})
# The network, its batch, its loss, its optimizer; the layer that the mistake is planted in, and the mistake.
NETWORKS = {
    "resnet": (ResNet, lambda: images(24, 12), classify, SGD, "layers.1.bn1", other_eps),
    "mobilenet": (MobileNet, lambda: images(24, 12), classify, SGD, "depthwise", doubled),
    "vit": (ViT, lambda: images(3, 16), classify, ADAM, "blocks.1.mlp.1", tanh_gelu),
    "gpt": (GPT, lambda: {"tokens": (t := torch.randint(0, 50, (2, 12))), "labels": t.roll(-1, 1)}, language, ADAMW, "h.1.ln1", other_eps),
    "lstm": (Recurrent, lambda: (torch.randint(0, 30, (3, 7)), torch.randint(0, 4, (3,))), classify, ADAM, "lstm", doubled),
}  # fmt: skip


def start(name):
    torch.manual_seed(list(NETWORKS).index(name))
    make, batch, loss, (kind, settings), *_ = NETWORKS[name]
    model = make()
    return model, batch(), loss, kind(model.parameters(), **settings)


def plain(name, batch, plant):
    """Two steps by a loop that knows no recorder: what its leaves give, what they are sent back, what is updated."""
    model, _, loss, optimizer = start(name)
    layer, mistake = NETWORKS[name][4:]
    if plant:
        mistake(model.get_submodule(layer))
    found, calls = {}, {}
    for step in range(2):
        torch.manual_seed(100 + step)
        prefix = f"step{step}/" if step else ""
        calls.clear()

        def keep(path, result):
            use = calls[path] = calls.get(path, -1) + 1
            results = [result] if isinstance(result, torch.Tensor) else [result[0], *result[1]]
            ends = [""] if isinstance(result, torch.Tensor) else [".0", ".1.0", ".1.1"]
            for end, t in zip(ends, results):
                at = f"{prefix}{path}{f'@{use}' if use else ''}.output{end}"
                found[at] = t.detach().clone()
                if t.requires_grad:
                    t.register_hook(lambda g, at=at: found.__setitem__(f"{at}.grad", g.clone()))

        leaves = [(path, m) for path, m in model.named_modules() if not list(m.children())]
        handles = [m.register_forward_hook(lambda _m, _i, out, path=path: keep(path, out)) for path, m in leaves]
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        found[f"{prefix}loss"] = value.detach()
        found |= {f"{prefix}{key}.grad": p.grad.clone() for key, p in model.named_parameters()}
        optimizer.step()
        found |= {f"{prefix}{key}": p.detach().clone() for key, p in model.named_parameters()}
        for handle in handles:
            handle.remove()
    return {key: t.numpy() for key, t in found.items()}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (*_, layer, _mistake) in NETWORKS.items():
        model, batch, loss, optimizer = start(name)
        recorder = Recorder(model)
        if name in ("resnet", "mobilenet"):
            batch = recorder.kink_free(batch, loss, optimizer, count=3, steps=2, seconds=120)
        for step in range(2):
            torch.manual_seed(100 + step)
            recorder.step(batch, loss=loss, optimizer=optimizer)
        recorder.save(str(folder / name))
        torch.set_num_threads(1 if torch.get_num_threads() > 1 else 2)
        np.savez(folder / f"{name}.npz", **plain(name, batch, False))
        np.savez(folder / f"{name}.wrong.npz", **plain(name, batch, True))
        (folder / f"{name}.layer").write_text(layer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
