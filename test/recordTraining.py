"""A training script as a user has it, with the recorder added; what test/recorder.test.ts runs.

python3 recordTraining.py DIRECTORY: writes one reference a folder there, and prints what the recorder says.
"""
import contextlib
import io
import json
import math
import os
import sys
import types
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ among the fixtures
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fixtures'))

import recorder  # noqa: E402
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


class Tiny(nn.Module):
    """Small enough to be recorded in many ways; `act` makes its decisions."""

    def __init__(self, act):
        super().__init__()
        self.conv, self.pool, self.drop, self.fc = nn.Conv2d(3, 4, 3), nn.MaxPool2d(6), nn.Dropout(), nn.Linear(100, 7)
        self.act = act

    def forward(self, x):
        return self.fc(self.drop(torch.flatten(self.pool(self.act(self.conv(x))), 1)))


class WithoutDecisions(Tiny):
    """A mean in the place of the pooling."""

    def __init__(self):
        super().__init__(nn.GELU())
        self.pool = nn.AvgPool2d(6)


def wrapped(folder, wrap):
    """A model in something that renames its parameters: the same reference as without."""
    torch.manual_seed(5)
    model = wrap(Tiny(nn.ReLU()))
    rec = Recorder(model, 'tiny')
    optimizer = sgd(model)
    train(model, optimizer, [rec.kink_free(*pool(60), optimizer, 2)] * 3)
    rec.save(folder)


def parallel(model):
    """In a process group of one."""
    torch.distributed.init_process_group('gloo', init_method=f'file://{root}/group', rank=0, world_size=1)
    return nn.parallel.DistributedDataParallel(model)


def hopeless(folder, model, optimizer_of=sgd):
    """`kink_free` warns before anything is trained."""
    torch.manual_seed(5)
    rec, images = Recorder(model, 'tiny'), pool(6)
    optimizer = optimizer_of(model)
    with contextlib.redirect_stderr(io.StringIO()) as warned:
        batch = rec.kink_free(*images, optimizer, 2)
    print(f'{folder}: {warned.getvalue()}', end='')
    assert torch.equal(batch[0], images[0][:2])
    train(model, optimizer, [batch] * 3)
    rec.save(folder)


def searched(terminal, seconds):
    """What a search among images that never do writes, by a clock that goes on by a second whenever it is read."""
    clock = iter(range(10_000))
    recorder.time = types.SimpleNamespace(monotonic=lambda: next(clock))
    model, screen = Tiny(nn.ReLU()), io.StringIO()
    screen.isatty = lambda: terminal
    os.environ['COLUMNS'] = '80'
    try:
        with contextlib.redirect_stderr(screen):
            Recorder(model, 'tiny').kink_free(torch.zeros(40, 3, 32, 32), pool(40)[1], sgd(model), 2, seconds)
    except RuntimeError as error:
        print(json.dumps([screen.getvalue(), str(error)]))


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
wrapped(root / 'plain', lambda model: model)
wrapped(root / 'DataParallel', nn.DataParallel)
wrapped(root / 'AveragedModel', torch.optim.swa_utils.AveragedModel)
wrapped(root / 'compile', lambda model: torch.compile(nn.DataParallel(model), backend='eager'))
if torch.distributed.is_available():
    wrapped(root / 'DistributedDataParallel', parallel)
hopeless(root / 'functional', Tiny(F.relu))
hopeless(root / 'leaky', Tiny(nn.LeakyReLU()))
hopeless(root / 'smooth', WithoutDecisions())
hopeless(root / 'adamant', Tiny(nn.ReLU()), lambda model: torch.optim.Adam(model.parameters()))
searched(terminal=False, seconds=1000)
searched(terminal=False, seconds=25)
searched(terminal=True, seconds=25)
