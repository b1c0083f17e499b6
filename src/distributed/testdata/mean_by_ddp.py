"""Has DistributedDataParallel on gloo take the mean of gradients that are given, one set a rank.

Usage: mean_by_ddp.py DIRECTORY RANKS

DIRECTORY/sizes.npy holds the lengths of each net's parameters, a net a row, 0 for none; DIRECTORY/own_<net>_<rank>.npy
the gradients of a rank, all parameters one behind the other, the same in each of three steps. Writes
DIRECTORY/mean_<net>_<step>.npy as rank 0 got it, and fails where another rank got other bits.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class Given(nn.Module):
    """A loss whose gradient to the parameters is what it is given."""

    def __init__(self, sizes):
        super().__init__()
        self.parts = nn.ParameterList([nn.Parameter(torch.zeros(n)) for n in sizes])

    def forward(self, gradient):
        pieces = gradient.split([p.numel() for p in self.parts])
        return sum((p * g).sum() for p, g in zip(self.parts, pieces))


def rank_main(rank, ranks, directory):
    dist.init_process_group(
        "gloo", init_method=f"file://{directory / f'store{ranks}'}", rank=rank, world_size=ranks
    )
    torch.set_num_threads(1)
    for net, sizes in enumerate(np.load(directory / "sizes.npy")):
        model = DistributedDataParallel(Given([int(n) for n in sizes if n > 0]))
        own = torch.from_numpy(np.load(directory / f"own_{net}_{rank}.npy"))
        for step in range(3):
            model.zero_grad()
            model(own).backward()
            mean = torch.cat([p.grad for p in model.module.parts])
            everywhere = [torch.empty_like(mean) for _ in range(ranks)]
            dist.all_gather(everywhere, mean)
            assert all(torch.equal(mean, other) for other in everywhere)
            if rank == 0:
                np.save(directory / f"mean_{net}_{step}.npy", mean.numpy())
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.start_processes(
        rank_main, (int(sys.argv[2]), Path(sys.argv[1])), nprocs=int(sys.argv[2]), start_method="fork"
    )
