"""One of our networks in somebody else's words, recorded: writes wide/, vgg16/, vgg16bn/ and more into FOLDER."""

import math
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

import torch  # noqa: E402
from recorder import Recorder  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


class MyVgg(nn.Module):
    """VGG16, every width divided by `narrow`: ReLU in place, PyTorch's default weights, seven classes."""

    def __init__(self, narrow=8, batch_norm=False, dropout=0.5, classes=7):
        super().__init__()
        layers, channels = [], 3
        for width in [64, 64, 0, 128, 128, 0, *[256] * 3, 0, *[512] * 3, 0, *[512] * 3, 0]:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            width //= narrow
            norm = [nn.BatchNorm2d(width)] if batch_norm else []
            layers += [nn.Conv2d(channels, width, 3, padding=1), *norm, nn.ReLU(inplace=True)]
            channels = width
        self.features = nn.Sequential(*layers)
        hidden = 512 // narrow
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(channels, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=math.sqrt(2 / (9 * module.in_channels)))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def cross_entropy(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)


def record(name, model, optimizer, loss=cross_entropy, steps=1, search=False):
    torch.manual_seed(12)
    recorder = Recorder(model)
    count = 40 if search else 2
    batch = (torch.rand(count, 3, 32, 32), torch.randint(0, 7, (count,)))
    if search:
        batch = recorder.kink_free(batch, loss, optimizer, count=2, steps=steps)
    for _ in range(steps):
        recorder.step(batch, loss=loss, optimizer=optimizer)
    recorder.evaluate(batch[0])
    recorder.save(root / name)


torch.set_num_threads(1)  # two would only wait for each other on a busy machine
root = Path(sys.argv[1])
torch.manual_seed(11)
wide = Recorder(MyVgg(narrow=1))
wide.evaluate(torch.rand(2, 3, 32, 32))
wide.save(root / "wide")
plain = MyVgg()
record("vgg16", plain, sgd(plain), steps=2, search=True)
normed = MyVgg(batch_norm=True)
# The first step divides each gradient by its own size: with the usual eps, one that is all rounding counts as any other.
adamw = torch.optim.AdamW(normed.parameters(), lr=1e-3, eps=1e-5)
record("vgg16bn", normed, adamw, search=True)
dropped = MyVgg(dropout=0.3)
record("dropped", dropped, sgd(dropped))
summed = MyVgg(dropout=0)
record("sum", summed, sgd(summed), lambda m, b: F.cross_entropy(m(b[0]), b[1], reduction="sum"))
other = MyVgg(dropout=0)
record("rmsprop", other, torch.optim.RMSprop(other.parameters()))
