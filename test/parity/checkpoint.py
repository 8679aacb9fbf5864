"""What Python's torch writes to checkpoints, reads from them, and makes of training that goes on from one. JSON in,
JSON out."""

import json
import os
import struct
import sys
from collections import OrderedDict

os.environ["TORCH_SERIALIZATION_DEBUG"] = "1"  # torch then checks that records lie where it computes them

import numpy as np
import torch
from torch.utils.serialization import config


def spelled(value):
    """The value with all its types, in JSON."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, torch.Tensor):
        flat = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
        return {
            "tensor": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "stride": list(value.stride()),
            "requires_grad": value.requires_grad,
            "bytes": flat.view(torch.uint8).numpy().tobytes().hex() if value.numel() else "",
        }
    if isinstance(value, dict):
        kind = "OrderedDict" if isinstance(value, OrderedDict) else "dict"
        return {kind: [[spelled(key), spelled(item)] for key, item in value.items()]}
    kind = {list: "list", tuple: "tuple", set: "set"}[type(value)]
    return {kind: [spelled(item) for item in value]}


DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 complex32 "
    "uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
).split()


def tensors():
    wide = torch.arange(24.0).reshape(4, 6)
    weight = torch.nn.Parameter(torch.randn(2, 3))
    return {
        **{name: torch.tensor([[1, 0, 1]]).to(getattr(torch, name)) for name in DTYPES},
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "wide": wide,
        "transposed": wide.t(),
        "part": wide[1:3, ::2],
        "expanded": torch.tensor([1.5]).expand(3),
        "parameter": weight,
        "tied": weight,
        "recorded": weight * 2,
        "conjugate": torch.tensor([1 + 2j, 3 - 4j]).conj(),
        "negative": torch._neg_view(torch.tensor([1.5, -2.0])),
    }


def plain():
    shared = [1, 2]
    return {
        "ints": [0, 255, 256, 65536, -1, 2**31, -(2**31) - 1, 2**53 + 1, -(2**100)],
        "floats": [0.5, -1e300, float("inf"), float("nan"), -0.0, 1e-320],
        "texts": ["", "ärger 漢字 🐈", "a\nb\x00c", "x" * 300],
        "tuple": (1, (2.5, ()), None, True),
        "dict": {"a": {}, "__proto__": {"x": 1}, "10": 1, "9": 2},
        "ordered": OrderedDict([("z", 1), ("a", OrderedDict())]),
        "bytes": b"\x00\xff",
        "int_keys": {0: "a", 7: "b", -1: "c"},
        "set": {3},
        "shared": [shared, shared],
    }


def training(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(144, 5)
    )
    decay = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    rest = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": rest, "weight_decay": 0}, {"params": decay, "weight_decay": 0.1}]
    return model, torch.optim.AdamW(groups, lr=5e-4, betas=(0.9, 0.98), eps=1e-6)


def step(model, optimizer):
    optimizer.zero_grad()
    images = torch.linspace(-1, 1, 2 * 3 * 64).reshape(2, 3, 8, 8)
    model(images).square().mean().backward()
    optimizer.step()


def checkpoint(path):
    model, optimizer = training(1)
    step(model, optimizer)
    torch.save({"epoch": 1, "name": "one", "state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    step(model, optimizer)
    return spelled(model.state_dict())


def resumed(path):
    model, optimizer = training(2)
    stored = torch.load(path, weights_only=True)
    model.load_state_dict(stored["state_dict"])
    optimizer.load_state_dict(stored["optimizer"])
    step(model, optimizer)
    return spelled(model.state_dict())


def read(path):
    plainly = torch.load(path, weights_only=True)
    config.load.calculate_storage_offsets = True
    mapped = torch.load(path, weights_only=True, mmap=True)
    config.load.calculate_storage_offsets = False
    assert json.dumps(spelled(plainly)) == json.dumps(spelled(mapped))
    return spelled(plainly)


def write(path, content, protocol=2, crc32=True):
    torch.serialization.set_crc32_options(crc32)
    value = {"tensors": tensors, "plain": plain}[content]()
    torch.save(value, path, pickle_protocol=protocol)
    return spelled(value)


def write_rarities(path):
    values = {
        "size": torch.Size([2, 3]),
        "dtype": torch.bfloat16,
        "device": torch.device("cuda:1"),
        "numpy": [np.float64(0.25), np.float32(1.5), np.int64(-3), np.bool_(True), np.float64(2.5).astype(">f8")],
        "frozenset": frozenset([1]),
        "bytearray": bytearray(b"ab"),
        "mixed": {1: "a", "b": 2, None: 3},
    }
    torch.save(values, path)


def write_legacy(path, protocol):
    value = tensors()
    torch.save(value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    return spelled(value)


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        self.first = self.layers[0]
        self.register_buffer("steps", torch.tensor([3, 4])[1:])
        self.mask = torch.ones(2)  # a plain attribute
        self.sizes, self.name, self.rate = [1, 2], "x", 0.5

    def forward(self, x):
        return self.layers(x) * self.mask.sum() * self.sizes[0] * self.rate


def write_script(path):
    script = torch.jit.script(Scripted().half())
    script.save(path)
    return sorted([name, spelled(tensor.detach())] for name, tensor in torch.jit.load(path).state_dict().items())


def write_module(folder):
    torch.save(torch.nn.Linear(2, 3), f"{folder}/module.pt")


JOBS = {
    job.__name__: job
    for job in [checkpoint, resumed, read, write, write_rarities, write_legacy, write_script, write_module]
}

request = json.load(sys.stdin)
print(json.dumps(JOBS[request["job"]](*request["arguments"])))
