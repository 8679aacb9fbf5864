"""Measures the way from a JPEG file to a model's pixels, in CPU time."""

import random
import time

import torch
from PIL import Image
from torchvision import transforms

import inputs


def prepare(folder, work, side):
    torch.set_num_threads(1)
    files = inputs.photographs(folder)
    transform = open_clip_transform() if side == "open_clip" else inputs.transform(224)
    change = transforms.AutoAugment()
    works = {
        "preprocess": lambda image: transform(image),
        "augment": lambda image: transform(change(image)),
        "views": lambda image: (transform(image), transform(change(image))),
        "decode": lambda image: image.load(),
    }
    torch.manual_seed(0)
    random.seed(0)

    def measure():
        start = time.process_time()
        for file in files:
            works[work](Image.open(file))
        return {"seconds": (time.process_time() - start) / len(files)}

    return measure


def open_clip_transform():
    import open_clip

    return open_clip.image_transform(224, is_train=False)
