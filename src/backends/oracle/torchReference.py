"""Every op and its adjoint as torch has them, in float64: JSON cases on stdin, JSON results on stdout.

A case is {op, params, operands: [{shape, int, data}], weight}; its result {y, grads}, where grads are
those of sum(weight * y) for each operand, null where there is none.
"""
import json
import sys

import torch
import torch.nn.functional as F


def adjoint(y, x, dy):
    return torch.autograd.grad(y, x, dy, create_graph=True)[0]


def image(dy, w, p):
    x = torch.zeros(dy.shape[0], w.shape[1], *p["inputSize"], dtype=dy.dtype, requires_grad=True)
    return adjoint(F.conv2d(x, w, stride=p["stride"], padding=p["padding"]), x, dy)


def kernel(x, dy, p):
    w = torch.zeros(dy.shape[1], x.shape[1], *p["kernel"], dtype=dy.dtype, requires_grad=True)
    return adjoint(F.conv2d(x, w, stride=p["stride"], padding=p["padding"]), w, dy)


def unaveraged(dy, p):
    x = torch.zeros(*dy.shape[:2], *p["inputSize"], dtype=dy.dtype, requires_grad=True)
    return adjoint(F.avg_pool2d(x, p["kernel"], p["stride"], p["padding"]), x, dy)


def unpooled(x, dy, p):
    x = x.detach().requires_grad_()
    return adjoint(F.max_pool2d(x, p["kernel"], p["stride"], p["padding"]), x, dy)


OPS = {
    "add": lambda p, a, b: a + b,
    "sub": lambda p, a, b: a - b,
    "mul": lambda p, a, b: a * b,
    "div": lambda p, a, b: a / b,
    "neg": lambda p, x: -x,
    "exp": lambda p, x: x.exp(),
    "sqrt": lambda p, x: x.sqrt(),
    "relu": lambda p, x: F.relu(x),
    "reluGrad": lambda p, dy, y: torch.where(y > 0, dy, torch.zeros_like(dy)),
    "equal": lambda p, a, b: (a == b).double(),
    "matmul": lambda p, a, b: (a.T if p["transposeA"] else a) @ (b.T if p["transposeB"] else b),
    "conv2d": lambda p, x, w: F.conv2d(x, w, stride=p["stride"], padding=p["padding"]),
    "conv2dInputGrad": lambda p, dy, w: image(dy, w, p),
    "conv2dWeightGrad": lambda p, x, dy: kernel(x, dy, p),
    "maxPool2d": lambda p, x: F.max_pool2d(x, p["kernel"], p["stride"], p["padding"]),
    "maxPool2dGrad": lambda p, x, dy: unpooled(x, dy, p),
    "avgPool2d": lambda p, x: F.avg_pool2d(x, p["kernel"], p["stride"], p["padding"]),
    "avgPool2dGrad": lambda p, dy: unaveraged(dy, p),
    "batchNorm": lambda p, x, w, b, m, v: (x - m.view(1, -1, 1, 1))
    / (v + p["eps"]).sqrt().view(1, -1, 1, 1)
    * w.view(1, -1, 1, 1)
    + b.view(1, -1, 1, 1),
    "reshape": lambda p, x: x.reshape(p["shape"]),
    "transpose": lambda p, x: x.permute(p["perm"]),
    "broadcastTo": lambda p, x: x.expand(p["shape"]),
    "reduceSum": lambda p, x: x.sum(p["axes"], keepdim=p["keepDims"]) if p["axes"] else x,
    "logSoftmax": lambda p, x: F.log_softmax(x, -1),
    "oneHot": lambda p, x: F.one_hot(x, p["classes"]).double(),
    "argMax": lambda p, x: x.argmax(-1),
}


def operand(o):
    t = torch.tensor(o["data"], dtype=torch.int64 if o["int"] else torch.float64)
    t = t.reshape(o["shape"])
    return t if o["int"] else t.requires_grad_()


def numbers(t):
    return None if t is None else t.detach().reshape(-1).tolist()


def result(case):
    operands = [operand(o) for o in case["operands"]]
    y = OPS[case["op"]](case["params"], *operands)
    if not y.requires_grad:
        return {"y": numbers(y), "grads": [None] * len(operands)}
    weight = torch.tensor(case["weight"], dtype=torch.float64).reshape(y.shape)
    floats = [x for x in operands if x.requires_grad]
    found = iter(torch.autograd.grad((y * weight).sum(), floats, allow_unused=True))
    return {"y": numbers(y), "grads": [numbers(next(found)) if x.requires_grad else None for x in operands]}


json.dump([result(case) for case in json.load(sys.stdin)], sys.stdout)
