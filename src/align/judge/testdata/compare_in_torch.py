"""What NumPy and PyTorch say of random pairs of arrays, one dtype after the other; and the arrays, as torch.save writes them."""

import json
import re
import sys

import numpy as np
import torch

out = sys.argv[1]
generator = torch.Generator().manual_seed(7)
dtypes = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64, torch.bool]
sizes = [0.0, 3e-8, 3e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]
tolerances = [(1e-5, 1e-8), (0.0, 1e-3), (1e-2, 0.0), (1.3e-6, 1e-5)]


def pair(dtype, size):
    b = torch.randn(4, 16, generator=generator, dtype=torch.float64) * 8
    b[0, :4] = 0
    a = b + size * torch.randn(b.shape, generator=generator, dtype=torch.float64)
    a, b = (t.round() if not dtype.is_floating_point else t for t in (a, b))
    return a.to(dtype), b.to(dtype)


def close(a, b, **tolerance):
    try:
        torch.testing.assert_close(a, b, **tolerance)
    except AssertionError:
        return False
    return True


def mismatch(a, b):
    """How many elements assert_close finds off, and which NumPy finds furthest off."""
    try:
        torch.testing.assert_close(a, b)
    except AssertionError as error:
        count = re.search(r"Mismatched elements: (\d+) /", str(error))
        apart = np.abs(a.numpy() - b.numpy())
        index = np.unravel_index(apart.argmax(), apart.shape)
        return {"beyond": int(count[1]), "index": [int(n) for n in index]}
    return None


def edge(a, b, rtol, atol):
    """Whether rounding in the arrays' own type, as NumPy and PyTorch compute, may decide it."""
    x, y = a.double(), b.double()
    allowed = atol + rtol * y.abs()
    slack = 4 * (torch.finfo(a.dtype).eps if a.is_floating_point() else 0) * allowed
    return bool(((x - y).abs() - allowed).abs().le(slack).logical_and(allowed > 0).any())


def ulps(a, b):
    """How far the bit patterns of two arrays are apart, those of negative numbers counted downwards from zero."""
    integers = {2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    top = 2 ** (8 * a.element_size() - 1)
    rank = lambda t: [n if n >= 0 else -(n + top) for n in t.view(integers).flatten().tolist()]
    return max(abs(p - q) for p, q in zip(rank(a), rank(b)))


said, ours, theirs = {}, {}, {}
for dtype in dtypes:
    for i, size in enumerate(sizes):
        name = f"{str(dtype).split('.')[1]}.{i}"
        a, b = pair(dtype, size)
        ours[name], theirs[name] = a, b
        x, y = a.double(), b.double()
        usual = torch.testing._comparison.default_tolerances(a, b)
        of = {
            "cosine": float(1 - torch.nn.functional.cosine_similarity(x.flatten(), y.flatten(), dim=0)),
            "relative": float(np.linalg.norm((x - y).numpy()) / np.linalg.norm(y.numpy())),
            "assert_close": close(a, b),
            "edge": edge(a, b, *usual),
            "mismatch": mismatch(a, b) if a.element_size() >= 4 and a.dtype != torch.bool else None,
            "tolerances": [],
        }
        if a.is_floating_point():
            of["ulp"] = ulps(a, b)
        for rtol, atol in tolerances:
            numpy = None
            if dtype not in (torch.bfloat16, torch.bool):
                numpy = bool(np.allclose(a.numpy(), b.numpy(), rtol=rtol, atol=atol))
            of["tolerances"].append({
                "rtol": rtol, "atol": atol, "torch": close(a, b, rtol=rtol, atol=atol), "numpy": numpy,
                "edge": edge(a, b, rtol, atol),
            })
        said[name] = of
torch.save(ours, f"{out}/ours.pt")
torch.save(theirs, f"{out}/theirs.pt")
print(json.dumps(said))
