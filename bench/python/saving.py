"""Measures writing and reading the weights of a model."""

import os
import time

import torch

import models


def prepare(folder, model, side):
    clip, _ = models.load(folder, model, side)
    state = {name: value.clone() for name, value in clip.state_dict().items()}
    file = os.path.join(folder, "saved_there.pt")

    def measure():
        if os.path.exists(file):
            os.remove(file)
        save = seconds_of(lambda: torch.save({"state_dict": state}, file))
        durable = save + seconds_of(lambda: sync(file))
        return {
            "save": save,
            "durable": durable,
            "pause": durable,
            "written": durable,
            "load": seconds_of(lambda: torch.load(file, map_location="cpu")),
            "read": seconds_of(
                lambda: [value.sum() for value in torch.load(file, map_location="cpu")["state_dict"].values()]
            ),
        }

    return measure


def sync(file):
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def seconds_of(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
