"""Opens the files a test wrote and reports what NumPy and PyTorch see in them.

python3 check_files.py DIRECTORY: reads every file there, writes the same tensors back as NumPy and
PyTorch write them, and prints one JSON object: file -> {name: [dtype, shape, bytes as hex]}.
"""
import json
import os
import sys
import warnings

import numpy as np

warnings.simplefilter('error')
directory = sys.argv[1]
report = {}


def path(name):
    return os.path.join(directory, name)


def describe(arrays):
    return {k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in arrays.items()}


def has(name):
    return os.path.exists(path(name))


for name in ('stored.npz', 'deflated.npz'):
    with np.load(path(name)) as archive:
        report[name] = describe(dict(archive))
logged = np.load(path('log.npy'), allow_pickle=True).item()
report['log.npy'] = describe(logged)
report['plain.npy'] = describe({'plain': np.load(path('plain.npy'))})
np.savez(path('back.npz'), **logged)
np.save(path('back.npy'), logged)

if has('weights.pt'):
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter('default')
        state = torch.load(path('weights.pt'), weights_only=True)
        report['weights.pt'] = describe({k: v.numpy() for k, v in state.items()})
        torch.save(state, path('back.pt'))

print(json.dumps({'numpy': np.__version__, 'files': report}))
