#!/usr/bin/env python3
"""Writes model-vectors.json: what PyTorch draws when it builds each of the seven models.

    python3 test/vectors/make_model_vectors.py

For CIFAR-100's hundred classes: one SHA-256 over the lines `name shape sha256` of every weight and buffer, in
state_dict order, after torch.manual_seed(SEED), and one of the generator's state once the model is built, which
says that nothing more and nothing less was drawn.
"""

import hashlib
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "fixtures"))

import torch  # noqa: E402

from reference_export import models  # noqa: E402

SEED = 3
CLASSES = 100  # the references say the same of ten classes


def sha256(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()


def vector(name: str) -> dict:
    built = models.state(models.build(name, SEED, classes=CLASSES))
    after = torch.get_rng_state()
    lines = [f"{key} {','.join(map(str, value.shape))} {sha256(value)}\n" for key, value in built.items()]
    return {
        "tensors": len(lines),
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
        "generator_sha256": sha256(after),
    }


def main() -> None:
    found = {
        "torch": torch.__version__,
        "seed": SEED,
        "classes": CLASSES,
        "models": {name: vector(name) for name in models.MODELS},
    }
    (HERE / "model-vectors.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


main()
