"""Writes seed-vectors.json: what torch.manual_seed makes of seeds at the ends of its range and beyond 2^53.

Run with a Python that has PyTorch: python3 make_seed_vectors.py
"""
import hashlib
import json
from pathlib import Path

import torch

SEEDS = (0, -1, -5, -(2**31), -(2**63), 2**31, 2**32 + 1, 2**53 - 1, 2**53 + 1, 2**60 + 3, 2**63 - 1, 2**63, 2**64 - 1)
REFUSED = (-(2**63) - 1, 2**64)


def made(seed: int) -> dict:
    torch.manual_seed(seed)
    state = hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()
    return {"initial_seed": str(torch.initial_seed()), "state": state}


def refused(seed: int) -> str:
    try:
        torch.manual_seed(seed)
    except ValueError:
        return str(seed)
    raise SystemExit(f"{seed} is taken")


vectors = {"seeds": {str(seed): made(seed) for seed in SEEDS}, "refused": [refused(seed) for seed in REFUSED]}
path = Path(__file__).with_name("seed-vectors.json")
path.write_text(json.dumps(vectors, indent=2) + "\n", encoding="utf-8")
