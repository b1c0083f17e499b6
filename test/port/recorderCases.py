"""What a recorder meets besides plain steps; writes a reference for each case into FOLDER, and says what `save` printed."""

import contextlib
import io
import json
import os
import sys
import time
import types
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
import recorder  # noqa: E402
from recorder import Recorder  # noqa: E402


def total(model, batch):
    return model(batch).square().mean()


def scheduled(folder):
    """A learning rate that falls tenfold between the steps, by a scheduler of PyTorch's."""
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.1)
    recorder = Recorder(model)
    for _ in range(3):
        recorder.step(torch.randn(4, 6), loss=total, optimizer=optimizer)
        scheduler.step()
    recorder.save(folder)


def clipped(folder):
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    recorder = Recorder(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(2):
        recorder.step(torch.randn(4, 6), total, optimizer, lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.01))
    recorder.save(folder)


class Cancelling(nn.Module):
    """ReLU of 3x - x - x - x: rounding alone decides."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)

    def forward(self, x):
        y = self.first(x)
        return self.last(F.relu(y * 3 - y - y - y)) + y


def flipped(folder):
    model = Cancelling()
    with torch.no_grad():
        model.first.weight.fill_(1)

    def rounded(x):
        return x * 3 - x - x - x

    x = next(x for x in torch.rand(1000, 1) if bool(rounded(x) > 0) != bool(rounded(x.double()) > 0))
    recorder = Recorder(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        recorder.step(x[None], loss=total, optimizer=optimizer)
    recorder.save(folder)


class Kinked(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(2, 1, bias=False), nn.ReLU(), nn.Linear(1, 1)

    def forward(self, x):
        return self.last(self.relu(self.first(x)))


def kinked():
    model = Kinked()
    with torch.no_grad():
        model.first.weight.copy_(torch.tensor([[1.0, -1.0]]))
    batch = torch.rand(8, 2) + torch.tensor([1.0, 0.0])
    batch[2] = torch.tensor([1.0, 1.0 - 2**-23])  # a float32's last place from its kink
    return model, batch, torch.optim.SGD(model.parameters(), lr=0.1)


def near(folder):
    model, batch, optimizer = kinked()
    recorder = Recorder(model)
    recorder.step(batch, loss=total, optimizer=optimizer)
    recorder.save(folder)


class Branches(nn.Module):
    """Two ways to the loss; one has a decision within rounding of its kink."""

    def __init__(self):
        super().__init__()
        self.kinked, self.smooth, self.tanh, self.last = kinked()[0], nn.Linear(2, 3), nn.Tanh(), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(torch.cat([self.kinked(x), self.tanh(self.smooth(x))], 1))


def branches(folder, before_step=None):
    model, (_, batch, _) = Branches(), kinked()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    recorder = Recorder(model)
    for _ in range(2):
        recorder.step(batch, total, optimizer, before_step)
    recorder.save(folder)


def branches_clipped(folder):
    branches(folder, lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.01))


class Routed(nn.Module):
    """Which of two experts is asked depends on rounding: the answer jumps with it, not its gradient alone."""

    def __init__(self):
        super().__init__()
        self.gate, self.first, self.out = nn.Linear(1, 1, bias=False), nn.Linear(1, 2), nn.Linear(2, 2)

    def forward(self, x):
        y = self.gate(x)
        expert = torch.cat([y * 3 - y - y - y, torch.zeros(len(x), 1)], 1).argmax(1)
        return self.out(self.first(x) * (1 + expert[:, None]))


def routed(folder):
    model = Routed()
    with torch.no_grad():
        model.gate.weight.fill_(1)
    # The rest is below zero in float32, and zero, as the other expert's, in float64.
    x = next(x for x in torch.rand(1000, 1) if x * 3 - x - x - x < 0)
    recorder = Recorder(model)
    recorder.evaluate(x[None])
    recorder.save(folder)


class Typed(nn.Module):
    """Asks for float32 by name, and makes tensors of its own."""

    def __init__(self):
        super().__init__()
        self.fc, self.out = nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = self.fc(x).float() + torch.zeros(len(x), 8) + torch.linspace(0, 1, 8, dtype=torch.float32)
        return self.out(F.softmax(x, 1, dtype=torch.float32) @ torch.eye(8))


def typed(folder):
    model = Typed()
    recorder = Recorder(model)
    recorder.step(torch.randn(4, 6), total, torch.optim.SGD(model.parameters(), lr=0.1))
    recorder.save(folder)


class Attended(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.heads = nn.Linear(8, 24), nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        x = F.scaled_dot_product_attention(q, k, v, dropout_p=0.2 if self.training else 0.0)
        return self.heads(x, x, x, need_weights=False)[0]


def attended(folder):
    """Dropout within attention."""
    model = Attended()
    recorder = Recorder(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        recorder.step(torch.randn(2, 5, 8), total, optimizer)
    recorder.save(folder)


def compiled(folder):
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    wrapped = torch.compile(nn.DataParallel(model), backend="eager")
    recorder = Recorder(wrapped)
    recorder.step(torch.randn(4, 6), total, torch.optim.SGD(wrapped.parameters(), lr=0.1))
    recorder.save(folder)


class Masked(nn.Module):
    """Scores that a mask of the batch takes away, by minus infinity."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 4)

    def forward(self, x, mask):
        return torch.softmax(self.fc(x) + mask, 1)


def masked(folder):
    model = Masked()
    recorder = Recorder(model)
    batch = {"x": torch.randn(3, 6), "mask": torch.tensor([0.0, 0.0, 0.0, -torch.inf])}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    for _ in range(2):
        recorder.step(batch, lambda m, b: m(**b).square().mean(), optimizer)
    recorder.save(folder)


def lost(folder):
    """A difference of which float32 keeps hardly a digit."""

    class Difference(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.out = nn.Linear(6, 8), nn.Linear(8, 2)

        def forward(self, x):
            x = self.fc(x)
            return self.out((x + 1e7) - 1e7)

    recorder = Recorder(Difference())
    recorder.evaluate(torch.randn(4, 6))
    recorder.save(folder)


def kink_free(folder):
    model, batch, optimizer = kinked()
    recorder = Recorder(model)
    few = recorder.kink_free(batch, total, optimizer, count=4)
    assert not any(torch.equal(row, batch[2]) for row in few)
    recorder.step(few, loss=total, optimizer=optimizer)
    recorder.save(folder)


def dropped(folder):
    """Dropout as a module, as a function, and noise that a network draws itself."""

    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.dropout, self.out = nn.Linear(6, 8), nn.Dropout(0.3), nn.Linear(8, 2)

        def forward(self, x):
            x = F.dropout(self.dropout(self.fc(x)), 0.2, self.training)
            return self.out(x + 0.1 * torch.randn_like(x))

    model = Noisy()
    recorder = Recorder(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        recorder.step(torch.randn(4, 6), loss=total, optimizer=optimizer)
    recorder.save(folder)


def used(folder):
    """Evaluation only, nested: a dict in, a tuple of a dict and a tensor out; and only some layers."""

    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn, self.left, self.right = nn.BatchNorm1d(4), nn.Linear(4, 3), nn.Linear(4, 2)

        def forward(self, x, scale):
            x = self.bn(x) * scale["by"]
            return {"left": self.left(x)}, self.right(x)

    model = Nested()
    recorder = Recorder(nn.DataParallel(model))
    recorder.evaluate({"x": torch.randn(5, 4), "scale": {"by": torch.rand(4)}})
    assert model.training
    recorder.save(folder, layers=["left", "bn"])


def searched(name, seconds, terminal=False, samples=40):
    """What a search among samples that never do writes, by a clock that goes on by a second whenever it is read."""
    clock = iter(range(100_000))
    recorder.time = types.SimpleNamespace(monotonic=lambda: next(clock))
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [1.0, -1.0]]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batch = torch.tensor([[1.0, 1.0 - 2**-23]]).repeat(samples, 1)  # one unit decides within rounding
    screen = io.StringIO()
    screen.isatty = lambda: terminal
    os.environ["COLUMNS"] = "80"
    try:
        with contextlib.redirect_stderr(screen):
            Recorder(model).kink_free(batch, total, optimizer, 2, seconds=seconds)
    except RuntimeError as error:
        print(json.dumps([name, screen.getvalue(), str(error)]))
    finally:
        recorder.time = time


CASES = [scheduled, clipped, flipped, near, branches, branches_clipped, routed, typed, attended, compiled, masked, lost, kink_free, dropped, used]
for case in CASES:
    torch.manual_seed(1)
    case(str(Path(sys.argv[1]) / case.__name__))

searched("all", 100_000)
searched("late", 25)
searched("terminal", 25, terminal=True)
