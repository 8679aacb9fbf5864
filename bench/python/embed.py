"""Measures embedding pairs with open_clip's encode_image and encode_text and a DataLoader, from the model to the
file."""

import contextlib
import os
import time

import numpy
import torch

import models
import pairs as data


def prepare(folder, model, pairs, side):
    file = os.path.join(folder, f"own_images_{pairs}.csv")
    cast = torch.autocast("cpu", dtype=torch.bfloat16) if models.BF16 else contextlib.nullcontext()

    @torch.no_grad()
    def measure():
        start = time.perf_counter()
        clip, config = models.load(folder, model, side)
        clip.eval()
        table = data.Pairs(file, config["imageSize"], inmodal=False)
        images, texts = [], []
        with cast:
            for ids, pixels in torch.utils.data.DataLoader(table, batch_size=128, num_workers=2):
                images.append(clip.encode_image(pixels, normalize=True).float())
                texts.append(clip.encode_text(ids, normalize=True).float())
        numpy.savez(os.path.join(folder, "embeddings.npz"), image=torch.cat(images), text=torch.cat(texts))
        return {"seconds": time.perf_counter() - start}

    return measure
