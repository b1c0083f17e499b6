"""Writes torch-VERSION.json: small files of torch.save, gzipped, and what torch.load reads of each.

Run with every Python whose PyTorch should be in the tests: python3 make_torch_files.py
"""
import argparse
import base64
import collections
import datetime
import gzip
import io
import json
import os
import pathlib
import pickle
import struct
import warnings

import numpy as np
import torch

warnings.simplefilter('ignore')
VERSION = '.'.join(torch.__version__.split('.')[:2])
YOUNG = VERSION != '1.13'
cases = {}


def ramp(*shape, dtype=torch.float32):
    return (torch.arange(torch.Size(shape).numel()) * 7 + 1).remainder(64).reshape(shape).to(dtype)


def described(value):
    """`dtype [shape] bytes`, in the float type that holds every value, complex numbers as pairs."""
    if isinstance(value, (np.ndarray, np.generic)):
        return described(torch.from_numpy(np.array(value)))
    if value.layout != torch.strided or value.is_quantized or value.is_meta:
        return 'unread'
    name = str(value.dtype).removeprefix('torch.')
    plain = value.detach().resolve_conj().resolve_neg().contiguous()
    if plain.is_complex():
        plain = torch.view_as_real(plain)
    elif name == 'bfloat16':
        plain = plain.float()
    elif name.startswith('float8'):
        # There is one NaN; which of float32's PyTorch makes of it says nothing.
        plain = plain.float()
        plain = torch.where(plain.isnan(), torch.tensor(float('nan')), plain)
    return f'{name} [{", ".join(map(str, plain.shape))}] {plain.numpy().tobytes().hex()}'


def walk(value, path, found):
    """Every tensor by its path, as a reader of the loaded value would name it."""
    below = (lambda key: str(key)) if path is None else (lambda key: f'{path}/{key}')
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        found['(array)' if path is None else path] = described(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            walk(item, below(key), found)
    elif isinstance(value, (list, tuple, collections.deque)):
        for i, item in enumerate(value):
            walk(item, below(i), found)
    elif isinstance(value, (argparse.Namespace, torch.nn.Module, Settings)):
        walk(vars(value), path, found)
    return found


class Settings:
    """Of a class that nobody else has."""


def keep_file(name, content):
    loaded = torch.load(io.BytesIO(content), **({'weights_only': False} if YOUNG else {}))
    shown = walk(loaded, None, {})
    cases[name] = {'file': base64.b64encode(gzip.compress(content, mtime=0)).decode(), 'shown': shown}


def keep(name, value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    keep_file(name, out.getvalue())


class OldPickler(pickle.Pickler):
    """As PyTorch before 0.4: the storage of every tensor is a view, of six from the fifth on, into one of twelve."""

    def persistent_id(self, value):
        if isinstance(value, torch.storage.TypedStorage):
            return ('storage', torch.FloatStorage, '7', 'cpu', 12, ('8', 4, 6))
        return None


def old_file(value):
    out = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {}}):
        pickle.dump(part, out, protocol=2)
    OldPickler(out, protocol=2).dump(value)
    pickle.dump(['7'], out, protocol=2)
    return out.getvalue() + struct.pack('<q', 12) + ramp(12).numpy().tobytes()


torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
swa = torch.optim.swa_utils.AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for _ in range(2):
    optimizer.zero_grad()
    model(ramp(3, 2)).square().sum().backward()
    optimizer.step()
    swa.update_parameters(model)
authors = {
    'epoch': 161,
    'best': np.float64(93.5),
    'state_dict': model.state_dict(),
    'swa_state_dict': swa.module.state_dict(),
    'swa_n': 2,
    'optimizer': optimizer.state_dict(),
}
keep('checkpoint/authors', authors)
keep('checkpoint/authors, another average', {**authors, 'swa_state_dict': model.state_dict()})
optimizer.state[model[0].weight]['momentum_buffer'] += 1
keep('checkpoint/authors, another momentum', {**authors, 'optimizer': optimizer.state_dict()})
keep('checkpoint/no average yet', {**authors, 'swa_n': 0})
keep('checkpoint/without average', {**authors, 'swa_state_dict': None, 'swa_n': None})
keep('checkpoint/other names', {'model_state_dict': model.state_dict(), 'ema': swa.module.state_dict(), 'step': 2})
keep('checkpoint/averaged model', swa.state_dict())
keep('checkpoint/data parallel', torch.nn.DataParallel(model).state_dict())
if YOUNG:
    keep('checkpoint/compiled', {'net': torch.compile(torch.nn.DataParallel(model)).state_dict()})
keep('checkpoint/lightning', {'state_dict': {f'model.{k}': v for k, v in model.state_dict().items()}, 'epoch': 3})
keep('checkpoint/inside', {'0.module.weight': ramp(2, 2), '0.module.bias': ramp(2), '1.weight': ramp(2)})
keep('checkpoint/two others', {'generator': {'w': ramp(1)}, 'discriminator': {'w': ramp(2)}})
keep('checkpoint/one other', {'encoder': {'w': ramp(1)}, 'epoch': 1})
keep('checkpoint/values beside', {'w': ramp(2), 'epoch': 3, 'best': np.float32(2)})

schedulers = torch.optim.lr_scheduler
sequence = [schedulers.MultiStepLR(optimizer, [1, 2]), schedulers.ExponentialLR(optimizer, 0.9)]
settings = Settings()
settings.mean = ramp(3)
settings.names = ['a', 'b']
beside = {
    'state_dict': {'w': ramp(2, 2)},
    'scheduler': schedulers.MultiStepLR(optimizer, [1, 2]).state_dict(),
    'sequence': schedulers.SequentialLR(optimizer, sequence, milestones=[3]).state_dict(),
    'counter': collections.Counter('aab'),
    'device': torch.device('cpu'),
    'sets': [{1, 2}, frozenset([3])],
    'complex': 1 + 2j,
    'dtype': [torch.float32, torch.bfloat16, torch.qint8],
    'layout': torch.strided,
    'args': argparse.Namespace(lr=0.1, path=pathlib.PosixPath('/data')),
    'time': datetime.datetime(2024, 2, 29, 12),
    'default': collections.defaultdict(list, loss=[1.0, 2.0]),
    'half': ramp(2, dtype=torch.bfloat16),
    'class': torch.nn.Linear,
    'settings': settings,
    'queue': collections.deque([ramp(1), ramp(2)], maxlen=3),
    'slice': slice(1, 2),
    'keys': {('a', 1): 1, 2: 2, None: 3, True: 4, torch.device('cpu'): 5},
    'size': torch.Size([1, 2]),
    'bytes': b'ab',
    'generator': torch.Generator().get_state()[:16].clone(),
    'text': np.array(['a', 'b']).tolist(),
}
keep('beside/everything', beside)
keep('beside/everything, legacy', beside, _use_new_zipfile_serialization=False)
keep('beside/everything, protocol 4', beside, pickle_protocol=4)
keep('beside/everything, legacy, protocol 4', beside, pickle_protocol=4, _use_new_zipfile_serialization=False)

grid = ramp(4, 6)
nested = [
    ramp(2),
    (grid.t(), {'corner': grid[1:3, 2:5], 3: grid[::2, ::3]}),
    {'a': {'b': [[ramp(1)]]}},
    torch.nn.Parameter(grid[:, 0]),
    grid[2, 3],
    torch.zeros(0, 3),
    ramp(1, 3).expand(4, 3),
]
keep('nested/list', nested)
keep('nested/list, legacy', nested, _use_new_zipfile_serialization=False)
keep('nested/tensor', ramp(2, 3))
keep('nested/tuple', (ramp(2), ramp(3)))
keep('nested/model', model)
keep('nested/model, legacy', model, _use_new_zipfile_serialization=False)

pairs = torch.tensor([[1 + 2j, 3 - 4j], [-5j, 6]])
keep('lazy/negative', {'x': pairs.conj().imag, 'row': pairs.conj().imag[:, 1]})
keep('lazy/conjugate', {'x': pairs.conj(), 'plain': pairs.t(), 'part': pairs.conj()[0]})
keep('lazy/conjugate, double', {'x': pairs.to(torch.complex128).conj()})
keep('lazy/negative half', {'x': torch._neg_view(ramp(3, dtype=torch.float16))})
keep('lazy/negative, legacy', {'x': torch._neg_view(ramp(3))}, _use_new_zipfile_serialization=False)

every = torch.arange(65536, dtype=torch.int32).to(torch.int16)
keep('types/bfloat16', {'w': every[::257].clone().view(torch.bfloat16), 'odd': ramp(5, dtype=torch.bfloat16)[::2]})
keep('types/bfloat16, legacy', {'w': ramp(3, 3, dtype=torch.bfloat16).t()}, _use_new_zipfile_serialization=False)
codes = torch.arange(256, dtype=torch.int32).to(torch.uint8)
for name in dir(torch):
    if name.startswith('float8'):
        keep(f'types/{name}', {'w': codes.clone().view(getattr(torch, name))})

keep_file('nested/views of storages, legacy', old_file({'w': torch.zeros(2, 3), 'row': torch.zeros(2, 3)[1]}))

quantized = torch.quantize_per_tensor(ramp(3), 0.5, 0, torch.qint8)
keep('unread/tensors', {'sparse': torch.eye(2).to_sparse(), 'quantized': quantized, 'w': ramp(2)})
keep(
    'unread/tensors, legacy',
    {'quantized': torch.quantize_per_tensor(ramp(3), 0.5, 0, torch.qint32), 'w': ramp(2)},
    _use_new_zipfile_serialization=False,
)
if YOUNG:
    keep('unread/meta', {'meta': torch.ones(2, device='meta'), 'w': ramp(2)})

tagged = torch.nn.Parameter(ramp(2))
tagged.tag = 'x'
noted = ramp(3)
noted.note = [1]
keep('attributes', {'parameter': tagged, 'tensor': noted})
if YOUNG:
    torch.serialization.set_crc32_options(False)
    keep('unchecked', {'w': ramp(2, 3), 'epoch': 1})

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, f'torch-{VERSION}.json'), 'w') as f:
    json.dump(cases, f, indent=2, sort_keys=True)
    f.write('\n')
