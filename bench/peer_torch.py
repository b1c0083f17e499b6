"""The peer of `npm run bench -- --peer torch`: one PyTorch training step for each line it reads.

Reads JSON lines {"batch": n} and {"threads": n}; answers each step with {"ms": milliseconds}. The network,
loss and optimizer are those of our own step: VGG-16 for 32x32 images with dropout, cross-entropy,
SGD with momentum 0.9 and weight decay 5e-4.
"""

import json
import sys
import time

import torch
from torch import nn

PLAN = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]


def vgg16():
    layers, width = [], 3
    for out in PLAN:
        if out == 0:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
            width = out
    hidden = [nn.Dropout(), nn.Linear(512, 512), nn.ReLU(inplace=True)]
    more = [nn.Dropout(), nn.Linear(512, 512), nn.ReLU(inplace=True), nn.Linear(512, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *hidden, *more)


def main():
    torch.manual_seed(0)
    model = vgg16().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    print(json.dumps({"version": torch.__version__}), flush=True)
    data = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "threads" in order:
            torch.set_num_threads(order["threads"])
            continue
        batch = order["batch"]
        if batch not in data:
            data[batch] = (torch.randn(batch, 3, 32, 32), torch.arange(batch) % 10)
        images, labels = data[batch]
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        print(json.dumps({"ms": 1000 * (time.perf_counter() - start)}), flush=True)


main()
