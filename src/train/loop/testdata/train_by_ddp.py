"""Trains a narrow VGG16BN as scripts for torchrun do, by DistributedDataParallel on gloo.

Usage: train_by_ddp.py FIXTURES DATA.npz OUT.npz RANKS BATCH EPOCHS SEED SEEDING LEARNING_RATE

DATA holds images, labels and test_images, test_labels. SEEDING is `offset` (each rank is seeded by SEED + rank) or
`same`. Two models are built, as with --swa, and rank 0 alone goes through the test set after the first, every second
and the last epoch. OUT gets `losses` [step, rank], `order` [step, rank, batch] (-1 where a batch is short), and the
state dict of rank 0 at the end.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler

fixtures, data_file, out, ranks, batch, epochs, seed, seeding, lr = sys.argv[1:]
ranks, batch, epochs, seed, lr = int(ranks), int(batch), int(epochs), int(seed), float(lr)
sys.path.insert(0, fixtures)

from reference_export import models  # noqa: E402
from reference_export.preparation import of as preparation_of  # noqa: E402
from reference_export.train import Augmented  # noqa: E402


def gathered(values):
    found = [torch.empty_like(values) for _ in range(ranks)]
    dist.all_gather(found, values)
    return torch.stack(found)


def rank_main(rank):
    dist.init_process_group("gloo", init_method=f"file://{out}.store", rank=rank, world_size=ranks)
    torch.set_num_threads(1)
    arrays = np.load(data_file)
    train_set = Augmented(arrays["images"], arrays["labels"], preparation_of("vgg16bn"))
    test_set = Augmented(arrays["test_images"], arrays["test_labels"], preparation_of("vgg16bn"))
    sampler = DistributedSampler(train_set, seed=seed)
    loader = DataLoader(train_set, batch_size=batch, sampler=sampler)
    torch.manual_seed(seed + rank if seeding == "offset" else seed)
    model = models.build("vgg16bn", narrow=16)
    models.build("vgg16bn", narrow=16)
    ddp = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(ddp.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4)
    losses, orders = [], []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        ddp.train()
        for images, labels, order, _drawn in loader:
            loss = F.cross_entropy(ddp(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(gathered(loss.detach()))
            orders.append(gathered(F.pad(order, (0, batch - len(order)), value=-1)))
        if rank == 0 and (epoch in (0, epochs - 1) or epoch % 2 == 1):
            # What a pass over the test set draws; it adds nothing to the model.
            iter(DataLoader(test_set, batch_size=batch))
    if rank == 0:
        state = {name: value.numpy() for name, value in model.state_dict().items()}
        np.savez(out, losses=torch.stack(losses).numpy(), order=torch.stack(orders).numpy(), **state)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.start_processes(rank_main, nprocs=ranks, start_method="fork")
