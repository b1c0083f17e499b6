"""Writes recordings.json: pairs of reprod_log, npz and npy files made by NumPy, and what NumPy says of them.

    python3 make_recordings.py

A pair is two files, base64, and for each of their keys the mean, max and min of np.abs(a - b) as Python
prints them: reprod_log's own arithmetic, for every dtype in which NumPy's subtraction does not wrap.
"""
import base64
import io
import json
import pickle
from pathlib import Path

import numpy as np

rng = np.random.RandomState(7)
HEADER = 128  # of the .npy around a pickle


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def reprod(arrays, protocol, numpy1=False):
    """As reprod_log saves it; up to protocol 3 also under the module names of NumPy 1."""
    text = pickle.dumps(np.array(arrays, dtype=object), protocol=protocol)
    if numpy1:
        text = text.replace(b'numpy._core', b'numpy.core')
    return npy(np.array(None, dtype=object))[:HEADER] + text


def npz(arrays, save=np.savez):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def near(a, size):
    return np.asarray(a + rng.randn(*a.shape) * size).astype(a.dtype)


def integers(code, shape):
    """Both sides, the first never below the second: nothing wraps in NumPy."""
    low, more = (np.asarray(rng.randint(0, 60, shape)).astype(code) for _ in range(2))
    return (low + more).astype(code), low


def pair_of(code, shape):
    if code[0] in 'iu':
        return integers(code, shape)
    a = np.asarray(rng.randn(*shape)).astype(code)
    return a, near(a, 1e-2 if code == 'f2' else 1e-6)


def said(a, b):
    d = np.abs(a - b)
    return {name: repr(float(getattr(d, name)())) for name in ('mean', 'max', 'min')}


def keep(pairs, name, left, right, a, b):
    values = {key: said(a[key], b[key]) for key in a}
    files = [base64.b64encode(content).decode() for content in (left, right)]
    pairs[name] = {'files': files, 'values': values}


pairs = {}
shapes = [(), (7,), (2, 3, 19)]
codes = ['f4', 'f8', 'f2', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8']
both = {f'{code}/{len(shape)}d': pair_of(code, shape) for code in codes for shape in shapes}
a, b = ({key: value[side] for key, value in both.items()} for side in (0, 1))
keep(pairs, 'dtypes.npz', npz(a), npz(b, np.savez_compressed), a, b)

small = {key: pair for key, pair in both.items() if key.startswith('f4')}
a, b = ({key: value[side] for key, value in small.items()} for side in (0, 1))
for protocol in (2, 3, 4, 5):
    keep(pairs, f'reprod_log, protocol {protocol}', reprod(a, protocol), npz(b), a, b)
keep(pairs, 'reprod_log, numpy.core', reprod(a, 3, True), reprod(b, 2, True), a, b)

# Fortran order against C: NumPy then adds up in the memory order of its result, which is C's.
left, right = pair_of('f8', (3, 5))
a, b = {'x': np.asfortranarray(left)}, {'x': right}
keep(pairs, 'Fortran order', reprod(a, 4), npz(b), a, b)

left, right = pair_of('f4', (5, 3))
keep(pairs, 'plain npy', npy(np.asfortranarray(left)), npy(right), {'(array)': left}, {'(array)': right})

# Long enough that the order of summation shows: blocks of 128, and of 8192 where float16 is cast.
fractions = np.arange(20_000, dtype=np.int64) * 40_503 % 65_536 / 65_536
long = {code: (fractions.astype(code), np.roll(fractions, 1).astype(code)) for code in ('f2', 'f4', 'f8')}
values = {code: said(*sides) for code, sides in long.items()}

path = Path(__file__).with_name('recordings.json')
path.write_text(json.dumps({'pairs': pairs, 'long': values}, indent=1) + '\n')
