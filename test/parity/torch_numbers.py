"""Random numbers and small computations of Python's torch, as torch.test.ts asks for them: JSON in, JSON out."""

import json
import sys

import torch


def plain(value):
    if isinstance(value, torch.Tensor):
        return {"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape), "values": value.tolist()}
    return [plain(item) for item in value]


def generator(seed):
    return torch.Generator().manual_seed(seed)


def draw(seed):
    torch.manual_seed(seed)
    return {
        "rand": torch.rand(5),
        "rand of many": torch.rand(100).sum(),
        "rand float64": torch.rand(3, dtype=torch.float64),
        "rand bfloat16": torch.rand(8, dtype=torch.bfloat16).float(),
        "randn": torch.randn(5),
        "randn of many": torch.randn(2, 20),
        "randn float64": torch.randn(17, dtype=torch.float64),
        "randint": torch.randint(-5, 100, (7,)),
        "randint int32": torch.randint(0, 2**20, (7,), dtype=torch.int32),
        "randperm": torch.randperm(12),
        "normal_": torch.empty(6).normal_(2, 3),
        "uniform_": torch.empty(3).uniform_(-1, 1),
        "bernoulli": torch.bernoulli(torch.full((10,), 0.3)),
        "bernoulli_": torch.empty(10).bernoulli_(0.5),
        "exponential_": torch.empty(4).exponential_(2),
        "random_": torch.empty(4, dtype=torch.int64).random_() % 1_000_003,
        "dropout": torch.dropout(torch.ones(16), 0.5, True),
        "multinomial": torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 6, True),
        "poisson": torch.poisson(torch.tensor([1.0, 5.0, 20.0])),
        "own generator": torch.randn(4, generator=generator(seed + 1)),
        "randperm, own generator": torch.randperm(9, generator=generator(seed + 1)),
        "rand after all": torch.rand(3),
    }


def compute():
    x = torch.linspace(-2, 2, 12).reshape(3, 4).requires_grad_()
    w = torch.linspace(1, -1, 8).reshape(2, 4).requires_grad_()
    y = torch.nn.functional.linear(x, w).tanh()
    (dx,) = torch.autograd.grad(y.pow(2).sum(), x, create_graph=True)
    dx.pow(2).sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = x.mm(w.t())
        loss = torch.nn.functional.cross_entropy(half, torch.tensor([0, 1, 0]))
    return {
        "linear, tanh": y,
        "gradient": dx,
        "second gradient": [x.grad, w.grad],
        "autocast": half.float(),
        "autocast dtype, loss": loss,
        "std, var, mean": [x.std(0), x.var(1, unbiased=False), x.mean()],
        "topk": list(x.topk(2, 1)),
        "softmax": x.softmax(1),
        "layer norm": torch.nn.functional.layer_norm(x, (4,)),
        "conv": torch.nn.functional.conv2d(x.reshape(1, 1, 3, 4), w.reshape(1, 1, 2, 4), padding=1),
        "promotion": [
            torch.tensor([1]) + 1.5,
            torch.tensor([1], dtype=torch.uint8) + torch.tensor([300], dtype=torch.int16),
        ],
    }


request = json.load(sys.stdin)
results = draw(request["seed"]) if request["job"] == "draw" else compute()
json.dump({name: plain(value) for name, value in results.items()}, sys.stdout)
