"""Reads the files that Node has made for both sides."""

import json
import os
import resource

import torch
from torchvision import transforms
from torchvision.transforms import InterpolationMode

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def photographs(folder):
    names = sorted(os.listdir(os.path.join(folder, "photographs")), key=lambda name: int(name.split(".")[0]))
    return [os.path.join(folder, "photographs", name) for name in names]


def transform(size):
    """Returns OpenAI's preprocessing of a PIL image: to float32 [3, size, size]."""
    return transforms.Compose(
        [
            lambda image: image.convert("RGB"),
            transforms.Resize(size, interpolation=InterpolationMode.BICUBIC),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def batch(folder):
    """Returns the pixels and token ids of Node's batch: float32 [N or 2N, 3, S, S], int64 [N or 2N, 77]."""
    loaded = torch.load(os.path.join(folder, "batch.pt"))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (loaded["pixels"].float() / 255 - mean) / std, loaded["ids"]


def labelled(folder):
    with open(os.path.join(folder, "classes.json")) as file:
        names = json.load(file)
    return names["classes"], names["templates"]
