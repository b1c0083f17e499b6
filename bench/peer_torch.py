"""The peer of `npm run bench -- --peer torch`: PyTorch training steps for each line it reads.

Reads JSON lines {"threads": n} and {"mode": m, "batch": n, "steps": n}; answers each of the latter with
{"ms": milliseconds a step}. The network, loss and optimizer are those of our own step: a VGG for 32x32
images with dropout, cross-entropy, SGD with momentum 0.9 and weight decay 5e-4. The batch lies on the device.

Modes: fp32 (TF32 off), tf32, bf16 (autocast, channels last), compile (torch.compile of tf32),
bf16-compile.
"""

import argparse
import contextlib
import functools
import json
import sys
import time

import torch
from torch import nn

STAGES = {16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}
WIDTHS = [64, 128, 256, 512, 512]

MODES = {
    "fp32": {},
    "tf32": {"tf32": True},
    "bf16": {"bf16": True},
    "compile": {"tf32": True, "compiled": True},
    "bf16-compile": {"bf16": True, "compiled": True},
}


def vgg(depth, batch_norm, narrow):
    layers, width = [], 3
    for count, out in zip(STAGES[depth], WIDTHS):
        for _ in range(count):
            layers.append(nn.Conv2d(width, out // narrow, 3, padding=1))
            width = out // narrow
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.MaxPool2d(2, 2))
    wide = 512 // narrow
    hidden = [nn.Dropout(), nn.Linear(wide, wide), nn.ReLU(inplace=True)]
    more = [nn.Dropout(), nn.Linear(wide, wide), nn.ReLU(inplace=True), nn.Linear(wide, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *hidden, *more)


class Step:
    """One mode's training step at one batch size."""

    def __init__(self, device, build, batch, tf32=False, bf16=False, compiled=False):
        torch.manual_seed(0)
        layout = torch.channels_last if bf16 else torch.contiguous_format
        self.device, self.tf32, self.bf16 = device, tf32, bf16
        self.model = build().to(device, memory_format=layout).train()
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4
        )
        self.forward = torch.compile(self.model, dynamic=False) if compiled else self.model
        self.images = torch.randn(batch, 3, 32, 32).to(device, memory_format=layout)
        self.labels = (torch.arange(batch) % 10).to(device)

    def block(self, steps):
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        torch.backends.cudnn.allow_tf32 = self.tf32
        start = time.perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad()
            autocast = (
                torch.autocast(self.device, torch.bfloat16) if self.bf16 else contextlib.nullcontext()
            )
            with autocast:
                loss = nn.functional.cross_entropy(self.forward(self.images), self.labels)
            loss.backward()
            self.optimizer.step()
        loss.item()
        return 1000 * (time.perf_counter() - start) / steps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--depth", type=int, default=16, choices=sorted(STAGES))
    parser.add_argument("--batch-norm", action="store_true")
    parser.add_argument("--narrow", type=int, default=1)
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"error": "PyTorch sees no CUDA device"}), flush=True)
        return
    torch.backends.cudnn.benchmark = args.device == "cuda"
    where = torch.cuda.get_device_name() if args.device == "cuda" else "CPU"
    print(json.dumps({"version": torch.__version__, "device": where}), flush=True)
    build = functools.partial(vgg, args.depth, args.batch_norm, args.narrow)
    steps = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "threads" in order:
            torch.set_num_threads(order["threads"])
            continue
        key = order["mode"], order["batch"]
        try:
            if key not in steps:
                steps[key] = Step(args.device, build, order["batch"], **MODES[order["mode"]])
            print(json.dumps({"ms": steps[key].block(order["steps"])}), flush=True)
        except Exception as error:  # a mode that this machine lacks (no compiler, say) must not end the others
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)


main()
