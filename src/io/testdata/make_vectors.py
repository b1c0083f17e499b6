"""Writes vectors.json: small files made by NumPy and PyTorch, base64, for the tests beside it.

Run with a Python that has NumPy 2 and PyTorch 2: python3 make_vectors.py
"""
import base64
import io
import json
import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import torch

files = {}
CODES = 'f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1'.split()


def keep(name, content):
    files[name] = base64.b64encode(content).decode()


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), version=version)
    return out.getvalue()


def counting(code, shape):
    """Element i is (7 i + 1) mod 64, in any dtype."""
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 + 1) % 64).astype(code).reshape(shape)


for code in CODES:
    keep(f'npy/{code}', npy(counting(code, (2, 3))))
    if code[1] != '1':
        keep(f'npy/{code}-big', npy(counting('>' + code, (2, 3))))
keep('npy/f4-fortran', npy(np.asfortranarray(counting('f4', (2, 3, 4)))))
keep('npy/i8-fortran-big', npy(np.asfortranarray(counting('>i8', (3, 2)))))
keep('npy/f4-v2', npy(counting('f4', (2, 3)), (2, 0)))
keep('npy/f4-v3', npy(counting('f4', (2, 3)), (3, 0)))
keep('npy/f8-0d', npy(counting('f8', ())))
keep('npy/f4-empty', npy(counting('f4', (0, 3))))
keep('npy/i4-vector', npy(counting('i4', (5,))))
keep('npy/refused-object', npy(np.array({'a': 1}, dtype=object)))
keep('npy/refused-text', npy(np.array(['ab'])))
keep('npy/refused-complex', npy(np.array([1j])))
keep('npy/refused-records', npy(np.zeros(2, dtype=[('a', '<f4'), ('b', '<i4', (2,))])))

arrays = {'f32/features.0.weight': counting('f4', (2, 3)), 'label': counting('i8', (4,))}
for name, save in [('npz/stored', np.savez), ('npz/deflated', np.savez_compressed)]:
    out = io.BytesIO()
    save(out, **arrays)
    keep(name, out.getvalue())

logged = {
    'plain': counting('f4', (2, 3)),
    'fortran': np.asfortranarray(counting('f8', (2, 3))),
    'big': counting('>i4', (3,)),
    'zero_d': counting('f4', ()),
    'scalar': np.float32(1),
    'empty': counting('u1', (0, 2)),
    'flags': counting('b1', (4,)),
    'half': counting('f2', (2,)),
}
header = npy(np.array(None, dtype=object))[:128]
for protocol in range(6):
    boxed = np.array(logged, dtype=object)
    keep(f'reprod/protocol{protocol}', header + pickle.dumps(boxed, protocol=protocol))
keep('reprod/numpy', npy(np.array({'loss': counting('f4', (1,))}, dtype=object)))
keep('reprod/refused-text', npy(np.array({'loss': 'high'}, dtype=object)))
keep('reprod/refused-list', npy(np.array({'loss': [1, 2]}, dtype=object)))
keep('reprod/refused-objects', npy(np.array({'a': np.array([None])}, dtype=object)))
keep('reprod/refused-complex', npy(np.array({'a': np.array([1j])}, dtype=object)))
keep('reprod/refused-text-array', npy(np.array({'a': np.array(['low'])}, dtype=object)))
keep('reprod/refused-dates', npy(np.array({'a': np.array(['2021-10-24'], 'M8[D]')}, dtype=object)))
keep('reprod/refused-key', npy(np.array({3: np.zeros(1)}, dtype=object)))
keep('reprod/refused-global', npy(np.array({'a': os.system}, dtype=object)))
keep('reprod/refused-shape', npy(np.array([{}, {}], dtype=object)))

# What the original port of SWA published (github.com/ncpaddle/SWA, commit 48c2642), as found there.
keep(
    'reprod/published-paddle',
    base64.b64decode(
        'k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAg'
        'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqAA2Nu'
        'dW1weS5jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEAY251bXB5Cm5kYXJyYXkKcQFLAIVxAkMBYnEDh3EE'
        'UnEFKEsBKWNudW1weQpkdHlwZQpxBlgCAAAATzhxB4mIh3EIUnEJKEsDWAEAAAB8cQpOTk5K/////0r/////Sz90'
        'cQtiiV1xDH1xDVgEAAAAbG9zc3EOaABoAUsAhXEPaAOHcRBScREoSwFLAYVxEmgGWAIAAABmNHETiYiHcRRScRUo'
        'SwNYAQAAADxxFk5OTkr/////Sv////9LAHRxF2KJQwSgwxJAcRh0cRlic2F0cRpiLg=='
    ),
)
keep(
    'reprod/published-pytorch',
    base64.b64decode(
        'k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAg'
        'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqAA2Nu'
        'dW1weS5jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEAY251bXB5Cm5kYXJyYXkKcQFLAIVxAkMBYnEDh3EE'
        'UnEFKEsBKWNudW1weQpkdHlwZQpxBlgCAAAATzhxB4mIh3EIUnEJKEsDWAEAAAB8cQpOTk5K/////0r/////Sz90'
        'cQtiiV1xDH1xDVgEAAAAbG9zc3EOaABoAUsAhXEPaAOHcRBScREoSwEpaAZYAgAAAGY0cRKJiIdxE1JxFChLA1gB'
        'AAAAPHEVTk5OSv////9K/////0sAdHEWYolDBKHDEkBxF3RxGGJzYXRxGWIu'
    ),
)

values = OrderedDict(
    none=None,
    flags=[True, False],
    ints=[0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**53 - 1, 2**70, -(2**70)],
    floats=[0.5, -1e300, 1e-9, float('inf')],
    text='naïve ☃ 𝄞\n\\ end',
    tuples=[(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    nested={'a': {'b': [[]]}},
    data=b'\x00\xff',
    array=bytearray(b'ab'),
    numbers={1: 'one', -2: 'two'},
    long_text='x' * 300,
    long_data=b'y' * 300,
)
values['again'] = values['flags']
for protocol in range(6):
    keep(f'pickle/protocol{protocol}', pickle.dumps(values, protocol=protocol))
keep('pickle/set', pickle.dumps([{7}, frozenset([8])], protocol=4))


def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def ramp(*shape):
    return torch.from_numpy(counting('f4', shape))


layer = torch.nn.BatchNorm1d(3)
with torch.no_grad():
    layer.weight.copy_(ramp(3))
keep('torch/state_dict', saved(layer.state_dict()))
keep(
    'torch/dtypes',
    saved({code: torch.from_numpy(counting(code, (2, 3))) for code in CODES}),
)
base = ramp(4, 6)
views = OrderedDict(
    base=base,
    transposed=base.t(),
    corner=base[1:3, 2:5],
    steps=base[::2, ::3],
    expanded=ramp(1, 3).expand(4, 3),
    zero_d=base[2, 3],
    empty=torch.zeros(0, 3),
    parameter=torch.nn.Parameter(ramp(2, 2)),
)
keep('torch/views', saved(views))
keep(
    'torch/nested',
    saved(
        {
            'epoch': 161,
            'best': np.float64(93.5),
            'state_dict': OrderedDict(w=ramp(2, 2)),
            'swa_state_dict': OrderedDict(w=ramp(3)),
            'optimizer': torch.optim.SGD(layer.parameters(), lr=0.1).state_dict(),
        }
    ),
)
keep('torch/refused-legacy', saved({'w': ramp(2)}, _use_new_zipfile_serialization=False))
keep('torch/refused-model', saved(layer))
keep('torch/refused-bfloat16', saved({'w': ramp(2).bfloat16()}))
keep('torch/refused-values', saved({'w': ramp(2), 'epoch': 3}))
keep('torch/refused-numbers', saved({'epoch': 3}))
keep('torch/refused-tensor', saved(ramp(2)))


def safetensors(header, data):
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + data


keep(
    'safetensors/two',
    safetensors(
        {
            '__metadata__': {'format': 'pt'},
            'b': {'dtype': 'I64', 'shape': [2], 'data_offsets': [0, 16]},
            'a': {'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [16, 40]},
        },
        counting('<i8', (2,)).tobytes() + counting('<f4', (2, 3)).tobytes(),
    ),
)

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vectors.json'), 'w') as f:
    json.dump(files, f, indent=2, sort_keys=True)
    f.write('\n')
