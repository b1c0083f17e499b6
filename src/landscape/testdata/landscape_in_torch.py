"""What PyTorch finds at points of a landscape: reads a question as JSON, prints answers as JSON.

    {"fixtures": DIR, "weights": [NPZ, NPZ, NPZ], "data": DIR, "samples": n, "tests": n, "batch": n,
     "plane": [[x, y], ...], "seed": s, "rays": [[ray, distance], ...]}

Points of the plane lie on the one through the three weights, those of rays begin at the first. Weights are made in float64
and rounded to float32; everything else is computed in float64.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

given = json.load(sys.stdin)
sys.path.insert(0, given["fixtures"])
from reference_export import models  # noqa: E402

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
names = [name for name, _ in models.build("vgg16bn", narrow=16).named_parameters()]


def vector(path):
    arrays = np.load(path)
    return torch.cat([torch.tensor(arrays[name]).double().flatten() for name in names])


def images(files, count):
    raw = b"".join((Path(given["data"]) / name).read_bytes() for name in files)
    records = np.frombuffer(raw, np.uint8).reshape(-1, 3073)[:count]
    pixels = torch.tensor(records[:, 1:].reshape(-1, 3, 32, 32)).double() / 255
    mean, std = (torch.tensor(v).double().view(1, 3, 1, 1) for v in (MEAN, STD))
    return (pixels - mean) / std, torch.tensor(records[:, 0].astype(np.int64))


train = images([f"data_batch_{n}.bin" for n in range(1, 6)], given["samples"])
test = images(["test_batch.bin"], given["tests"])


def batches(x):
    return x.split(given["batch"])


@torch.no_grad()
def measured(w):
    model = models.build("vgg16bn", narrow=16).double()
    torch.nn.utils.vector_to_parameters(w.float().double(), model.parameters())
    torch.optim.swa_utils.update_bn(list(batches(train[0])), model)
    model.eval()
    found = {}
    for split, (x, y) in {"train": train, "test": test}.items():
        logits = torch.cat([model(part) for part in batches(x)])
        found[f"{split}Loss"] = cross_entropy(logits, y).item()
        found[f"{split}Wrong"] = int((logits.argmax(1) != y).sum())
    return found


w1, w2, w3 = (vector(path) for path in given["weights"])
u = w2 - w1
v = (w3 - w1) - (w3 - w1).dot(u) / u.norm() ** 2 * u
points = [w1 + x * u / u.norm() + y * v / v.norm() for x, y in given["plane"]]

torch.manual_seed(given["seed"])
directions = [torch.randn(w1.numel()).double() for _ in range(max(ray for ray, _ in given["rays"]))]
points += [w1 + t * directions[ray - 1] / directions[ray - 1].norm() for ray, t in given["rays"]]

print(json.dumps([measured(w) for w in points]))
