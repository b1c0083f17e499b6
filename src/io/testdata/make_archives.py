"""Writes archives.json: small .npy and .npz files as other people's tools leave them, and what NumPy reads of each.

Run with a Python that has NumPy: python3 make_archives.py
"""
import base64
import io
import json
import os
import zipfile

import numpy as np

cases = {}
NUMBERS = 'fiub'


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def described(array):
    """What the tests compare, `dtype [shape] bytes`; None for anything but an array of numbers."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in NUMBERS:
        return None
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder('<')).reshape(array.shape)
    return f'{plain.dtype.name} [{", ".join(map(str, plain.shape))}] {plain.tobytes().hex()}'


def keep(name, content, shown):
    cases[name] = {'file': base64.b64encode(content).decode(), 'shown': shown}


def keep_npz(name, content):
    shown = {}
    with np.load(io.BytesIO(content), allow_pickle=True) as z:
        members = z.zip.namelist()
        for member in members:
            short = member.removesuffix('.npy')
            key = member if short in members else short
            array = described(z[key])
            if array is not None:
                assert array == described(z[member])
                shown[key] = array
    keep(name, content, shown)


class Pipe(io.BytesIO):
    """A file that cannot go back: zip entries then say their sizes behind their data, as macOS's do."""

    def seekable(self):
        return False

    def tell(self):
        raise OSError

    def seek(self, *_):
        raise OSError


def archive(members, out=None, compress_type=zipfile.ZIP_STORED):
    out = out or io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for member, content in members.items():
            z.writestr(zipfile.ZipInfo(member), content, compress_type)
    return out.getvalue()


def savez(*arrays, **named):
    out = io.BytesIO()
    np.savez(out, *arrays, **named)
    return out.getvalue()


ones, twos, threes = (np.full(3, n, 'f4') for n in (1, 2, 3))
double = b'\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        '.ljust(120, b'\x00')
keep_npz('without-suffix', archive({'a.npy': npy(ones), 'logits': npy(twos), 'loss.NPY': npy(threes)}))
keep_npz('same-name', archive({'a.npy': npy(ones), 'a': npy(twos)}))
keep_npz('same-name-thrice', archive({'a': npy(ones), 'a.npy': npy(twos), 'a.npy.npy': npy(threes)}))
keep_npz(
    'macos',
    archive(
        {
            'a.npy': npy(ones),
            '__MACOSX/': b'',
            '__MACOSX/._a.npy': double,
            'layer/': b'',
            'layer/b.npy': npy(twos),
            '__MACOSX/layer/._b.npy': double,
            '.DS_Store': b'\x00\x00\x00\x01Bud1',
        },
        Pipe(),
        zipfile.ZIP_DEFLATED,
    ),
)
keep_npz('trailing', archive({'a.npy': npy(ones) + b'more', 'b.npy': npy(twos)}))
keep_npz('mixed', savez(text=np.array(['ab']), good=ones, objects=np.array([None, 1]), complex=np.array([1j])))
keep_npz('dict', savez({'a': ones, 'b': twos}))
keep_npz('only-text', savez(names=np.array(['a', 'b'])))
keep('trailing.npy', npy(ones) + b'more', {'(array)': described(ones)})
keep('thrice.npy', npy(ones) + npy(twos) + npy(threes), {
    '(array)': described(ones),
    '(array 2)': described(twos),
    '(array 3)': described(threes),
})

DESCRS = (
    'float32 f =f <f >f float64 d >d float double float16 half e <e single int int8 int16 int32 int64 uint uint8 '
    'uint16 uint32 uint64 b B h >h H i I l >l L q Q p P ? |? bool <b1 |f4 |b f4 >i2'
).split()
header = npy(np.zeros(1))[:128]
for descr in DESCRS:
    text = header.replace(b"'<f8', ", f"'{descr}', ".encode())
    excess = len(text) - len(header)
    padded = text[: -1 - excess] + b'\n' if excess > 0 else text[:-1] + b' ' * -excess + b'\n'
    content = padded + (np.arange(16, dtype='u1') % 2).tobytes()
    keep(f'descr/{descr}', content, {'(array)': described(np.load(io.BytesIO(content)))})

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'archives.json'), 'w') as f:
    json.dump(cases, f, indent=2, sort_keys=True)
    f.write('\n')
