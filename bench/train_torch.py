#!/usr/bin/env python3
"""PyTorch's side of bench/gpu_train.sh: the run of fixtures/train_in_torch.py on a GPU, in as many calls as it takes.

    python3 bench/train_torch.py --device cuda --checkpoint FILE --data-path DIR --dir OUT --swa

FILE is written after every epoch; where it is there, the run goes on from it. Ctrl-C keeps the epochs that are whole.
Weights, order, flips, crops and dropout masks are drawn by PyTorch's CPU generator wherever the network computes, so they
remain those of our own run from that seed. Convolutions and products are in float32, TF32 off. OUT gets train_log.txt and
run.json. Exit code: 0 the run is finished, 3 it was stopped, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
sys.path.insert(0, str(FIXTURES))

from reference_export.preparation import of as preparation_of  # noqa: E402
from reference_export.train import Augmented  # noqa: E402
from torch_peer import data, log, report  # noqa: E402
from torch_peer.averaging import Average  # noqa: E402
from torch_peer.settings import add_flags, learning_rate, network, settings  # noqa: E402
from torch_peer.settings import parse as parse_flags  # noqa: E402


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="written after every epoch, and gone on from"
    )
    add_flags(parser)
    flags = parse_flags(parser, argv)
    if flags.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch sees no CUDA device")
    return flags


class HostDropout(nn.Dropout):
    """Dropout whose masks the CPU generator draws, as it does for a network on the CPU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        return x * F.dropout(torch.ones(x.shape), self.p, training=True).to(x.device)


def placed(model: nn.Module, device: str) -> nn.Module:
    """The model on `device`, taking batches from the host and giving logits back to it."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Dropout):
                setattr(parent, name, HostDropout(child.p))
    model.register_forward_pre_hook(lambda _, args: tuple(x.to(device) for x in args))
    model.register_forward_hook(lambda _, __, logits: logits.cpu())
    return model.to(device)


def once(model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer | None = None) -> tuple[float, float]:
    """Mean loss over images and accuracy in percent of one pass, each batch before the step it is used for, if any."""
    model.train(optimizer is not None)
    loss_sum, correct, seen = 0.0, 0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, labels, *_ in loader:
            output = model(images)
            loss = F.cross_entropy(output, labels)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * len(images)
            correct += int((output.argmax(1) == labels).sum())
            seen += len(images)
    return loss_sum / seen, correct / seen * 100


class Run:
    """Everything that an epoch changes, from the seed on or from a checkpoint."""

    def __init__(self, flags: argparse.Namespace, train_set: data.Split, test_set: data.Split) -> None:
        self.flags = flags
        preparation = preparation_of(flags.model)
        augmented = Augmented(train_set.images, train_set.labels, preparation)
        self.loader = DataLoader(augmented, batch_size=flags.batch_size, shuffle=True, num_workers=0)
        self.tests = DataLoader(data.Plain(test_set, preparation), batch_size=flags.batch_size, num_workers=0)
        torch.manual_seed(flags.seed)
        self.model = placed(network(flags), flags.device)
        averaged = placed(network(flags), flags.device) if flags.swa else None
        self.average = None if averaged is None else Average(averaged, self.loader)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=flags.lr_init, momentum=flags.momentum, weight_decay=flags.wd
        )
        self.rows: list[dict] = []
        self.seconds: list[float] = []

    def epoch(self) -> None:
        """The next epoch, in the order of the authors' train.py; see fixtures/train_in_torch.py."""
        began, flags, number = time.perf_counter(), self.flags, len(self.rows) + 1
        last = number == flags.epochs
        tested = number == 1 or number % flags.eval_freq == 0 or last
        lr = learning_rate(number - 1, flags)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        row: dict = {"epoch": number, "lr": lr}
        row["trainLoss"], row["trainAccuracy"] = once(self.model, self.loader, self.optimizer)
        if tested:
            row["testLoss"], row["testAccuracy"] = once(self.model, self.tests)
        if self.average is not None and number >= flags.swa_start:
            joins = (number - flags.swa_start) % flags.swa_c_epochs == 0
            if joins:
                self.average.join(self.model)
            if tested and (joins or last):
                self.average.refresh()
                row["swaTestLoss"], row["swaTestAccuracy"] = once(self.average.model, self.tests)
        self.rows.append(row)
        self.seconds.append(time.perf_counter() - began)

    def save(self, path: Path) -> None:
        state = {
            "settings": settings(self.flags),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": torch.get_rng_state(),
            "rows": self.rows,
            "seconds": self.seconds,
        }
        if self.average is not None:
            state["average"] = self.average.model.state_dict()
            state["count"] = self.average.count
            state["refresh_from"] = self.average.refresh_from
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        os.replace(unfinished, path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] != settings(self.flags):
            print(f"{path} holds a run with other settings; name another --checkpoint", file=sys.stderr)
            sys.exit(2)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rows, self.seconds = state["rows"], state["seconds"]
        if self.average is not None:
            self.average.model.load_state_dict(state["average"])
            self.average.count = state["count"]
            self.average.refresh_from = state["refresh_from"]
        torch.set_rng_state(state["generator"])


def write_log(run: Run) -> None:
    rows = zip(run.rows, run.seconds)
    lines = [line for row, seconds in rows for line in log.lines(row, run.flags.swa, seconds)]
    (run.flags.dir / "train_log.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    flags = parse(sys.argv[1:])
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    train_set, test_set = data.read(flags.dataset, flags.data_path)
    flags.dir.mkdir(parents=True, exist_ok=True)
    flags.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    run = Run(flags, train_set, test_set)
    if flags.checkpoint.exists():
        run.resume(flags.checkpoint)
        print(f"goes on after epoch {len(run.rows)}", flush=True)
    try:
        while len(run.rows) < flags.epochs:
            run.epoch()
            run.save(flags.checkpoint)
            write_log(run)
            for line in log.lines(run.rows[-1], flags.swa, run.seconds[-1]):
                print(line, flush=True)
    except KeyboardInterrupt:
        print(f"stopped; {len(run.rows)} epochs are in {flags.checkpoint}")
        sys.exit(3)
    dataset = {"train": train_set.describe(), "test": test_set.describe()}
    found = report.run_json(flags.dir.resolve().name, settings(flags), dataset, run.rows, run.seconds)
    if flags.device == "cuda":
        where = torch.cuda.get_device_name()
        found["backend"].update(device="cuda", description=f"PyTorch {torch.__version__}, {where}")
    (flags.dir / "run.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"report in {flags.dir}")


main()
