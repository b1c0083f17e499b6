"""What torch's DistributedSampler gives each rank in each epoch, as JSON.

Usage: sampler_in_torch.py COUNT RANKS SEED EPOCHS [COUNT RANKS SEED EPOCHS …]
"""

import json
import sys

from torch.utils.data.distributed import DistributedSampler


def orders(count, ranks, seed, epochs):
    samplers = [DistributedSampler(range(count), ranks, rank, seed=seed) for rank in range(ranks)]
    found = []
    for epoch in range(epochs):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        found.append([list(sampler) for sampler in samplers])
    return found


numbers = [int(word) for word in sys.argv[1:]]
print(json.dumps([orders(*numbers[i : i + 4]) for i in range(0, len(numbers), 4)]))
