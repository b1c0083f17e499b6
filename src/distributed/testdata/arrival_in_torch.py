"""In which order the gradients of each of our networks are ready in a backward pass, as JSON.

Usage: arrival_in_torch.py FIXTURES
"""

import json
import sys

import torch
from torch.nn import functional as F

sys.path.insert(0, sys.argv[1])

from reference_export import models  # noqa: E402


def arrival(name):
    model = models.build(name)
    order = []
    for key, parameter in model.named_parameters():
        parameter.register_post_accumulate_grad_hook(lambda _, key=key: order.append(key))
    F.cross_entropy(model(torch.rand(2, 3, 32, 32)), torch.tensor([1, 2])).backward()
    return order


torch.set_num_threads(1)
print(json.dumps({name: arrival(name) for name in models.MODELS}))
