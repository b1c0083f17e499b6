"""A training script as a user has it, with the recorder added; what test/recorder.test.ts runs.

python3 recordTraining.py DIRECTORY: writes one reference a folder there, and prints what the recorder says.
"""
import math
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the fixtures
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fixtures'))

import torch  # noqa: E402
from recorder import Recorder  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


class MyVgg(nn.Module):
    """VGG16 in somebody else's words: ReLU in place, PyTorch's default weights, seven classes."""

    def __init__(self, batch_norm=False, classes=7):
        super().__init__()
        layers, channels = [], 3
        for width in [64, 64, 0, 128, 128, 0, *[256] * 3, 0, *[512] * 3, 0, *[512] * 3, 0]:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            norm = [nn.BatchNorm2d(width)] if batch_norm else []
            layers += [nn.Conv2d(channels, width, 3, padding=1), *norm, nn.ReLU(inplace=True)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(512, 512),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(512, 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, classes),
        )
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=math.sqrt(2 / (9 * module.in_channels)))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def train(model, optimizer, batches, loss_of=F.cross_entropy):
    for images, labels in batches:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-3)


def pool(count):
    return torch.rand(count, 3, 32, 32), torch.randint(0, 7, (count,))


def good(folder, name, batch_norm, steps, count):
    torch.manual_seed(11)
    model = MyVgg(batch_norm)
    optimizer = sgd(model)
    rec = Recorder(model, name, steps=steps)
    batch = rec.kink_free(*pool(200), optimizer, count)
    train(model, optimizer, [batch] * 4)  # more steps than are recorded
    rec.save(folder)


def refused(folder, images=2, optimizer_of=sgd, loss_of=F.cross_entropy, before=None):
    """One step on a batch that nobody has chosen."""
    torch.manual_seed(11)
    model = MyVgg()
    rec = Recorder(model, 'vgg16', steps=1)
    if before is not None:
        before(model)
    train(model, optimizer_of(model), [pool(images)], loss_of)
    rec.save(folder)


def nudge(model):
    with torch.no_grad():
        model.classifier[6].weight += 0.01


torch.set_num_threads(1)  # two would only wait for each other on a busy machine
root = Path(sys.argv[1])
good(root / 'vgg16', 'vgg16', False, 2, 2)
good(root / 'vgg16bn', 'vgg16bn', True, 1, 2)
refused(root / 'kinks', images=16)
refused(root / 'adam', optimizer_of=lambda model: torch.optim.Adam(model.parameters()))
refused(root / 'sum', loss_of=lambda logits, labels: F.cross_entropy(logits, labels, reduction='sum'))
refused(root / 'changed', before=nudge)
untrained = MyVgg()
rec = Recorder(untrained, 'vgg16')
untrained(pool(2)[0])
try:
    rec.save(root / 'untrained')
except RuntimeError as error:
    print(error)
