"""Draws what the first training steps of the SWA authors' train.py see, with PyTorch itself, and compares
it bit for bit with a file of the command `batches --weights`.

Usage: trainBatches.py FILE.npz DATA_DIR SEED BATCH_SIZE COUNT MODELS
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

path, data_dir, seed, batch_size, count, models = sys.argv[1:]
seed, batch_size, count, models = int(seed), int(batch_size), int(count), int(models)

PLAN = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class VGG(nn.Module):
    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for width in PLAN:
            if width == 0:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(512, 512), nn.ReLU(True),
            nn.Dropout(), nn.Linear(512, 512), nn.ReLU(True), nn.Linear(512, 10),
        )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, (2.0 / n) ** 0.5)
                m.bias.data.zero_()


class Images(torch.utils.data.Dataset):
    """CIFAR-10's binary records; flip, then a crop of the image padded by 4, as torchvision draws them."""

    def __init__(self, names, augment):
        raw = b"".join((Path(data_dir) / "cifar-10-batches-bin" / n).read_bytes() for n in names)
        records = torch.from_numpy(np.frombuffer(raw, np.uint8).reshape(-1, 3073).copy())
        self.labels, self.images = records[:, 0].long(), records[:, 1:].view(-1, 3, 32, 32)
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        if self.augment:
            if torch.rand(1) < 0.5:
                image = image.flip(-1)
            padded = torch.zeros(3, 40, 40, dtype=torch.uint8)
            padded[:, 4:36, 4:36] = image
            top = int(torch.randint(0, 9, (1,)))
            left = int(torch.randint(0, 9, (1,)))
            image = padded[:, top : top + 32, left : left + 32]
        return i, (image.float().div(255) - MEAN) / STD, self.labels[i]


def same(name, ours, theirs):
    theirs = theirs.numpy()
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape or ours.tobytes() != theirs.tobytes():
        sys.exit(f"{name} differs")


ours = np.load(path)
torch.manual_seed(seed)
built = [VGG() for _ in range(models)]
state = built[0].state_dict()
for name, value in state.items():
    same(name, ours[name], value)

train = torch.utils.data.DataLoader(
    Images([f"data_batch_{k}.bin" for k in range(1, 6)], True), batch_size, shuffle=True
)
test = torch.utils.data.DataLoader(Images(["test_batch.bin"], False), batch_size, shuffle=False)
k, epoch = 0, 0
while k < count:
    for order, images, labels in train:
        masks = [nn.functional.dropout(torch.ones(len(order), 512), 0.5) != 0 for _ in range(2)]
        same(f"order_{k}", ours[f"order_{k}"], order)
        same(f"images_{k}", ours[f"images_{k}"], images)
        same(f"labels_{k}", ours[f"labels_{k}"], labels)
        for i, mask in enumerate(masks):
            same(f"mask{i}_{k}", ours[f"mask{i}_{k}"], mask.to(torch.uint8))
        k += 1
        if k == count:
            break
    if epoch == 0 or epoch % 5 == 4:
        for _ in test:
            pass
    epoch += 1
print(f"{k} batches and {len(state)} tensors are equal")
