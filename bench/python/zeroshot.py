"""Measures a zero-shot evaluation, from the checkpoint to the accuracy."""

import contextlib
import os
import time

import pandas
import torch
from PIL import Image

import inputs
import models
import tokens


class Labelled(torch.utils.data.Dataset):
    def __init__(self, folder, size):
        table = pandas.read_csv(os.path.join(folder, "labels.csv"))
        self.images = [os.path.join(folder, name) for name in table["image"]]
        self.labels = table["label"].tolist()
        self.transform = inputs.transform(size)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        return self.transform(Image.open(self.images[row])), self.labels[row]


def prepare(folder, model, side, classes, templates, images):
    labelled = os.path.join(folder, f"labelled_{classes}_{templates}_{images}")
    embed = open_clip_embeddings if side == "open_clip" else embeddings
    cast = (
        torch.autocast("cpu", dtype=torch.bfloat16) if side == "open_clip" and models.BF16 else contextlib.nullcontext()
    )

    @torch.no_grad()
    def measure():
        start = time.perf_counter()
        clip, config = models.load(folder, model, side)
        clip.eval()
        hits = total = 0
        with cast:
            weights = embed(clip, *inputs.labelled(labelled))  # [D, classes]
            loader = torch.utils.data.DataLoader(Labelled(labelled, config["imageSize"]), batch_size=128, num_workers=2)
            for pixels, labels in loader:
                logits = unit(clip.encode_image(pixels)) @ weights.to(next(clip.parameters()).dtype)
                hits += (logits.topk(min(10, logits.shape[1]), 1)[1][:, 0] == labels).sum().item()
                total += len(labels)
        return {"seconds": time.perf_counter() - start, "top1": hits / total}

    return measure


def unit(features):
    return features / features.norm(dim=-1, keepdim=True)


def embeddings(clip, classes, templates):
    """Returns the classes' embeddings, [D, classes]: one class after another, with all its templates in a batch."""
    encode = tokens.tokenizer()
    mean = lambda name: unit(unit(clip.encode_text(encode([template.format(name) for template in templates]))).mean(0))
    return torch.stack([mean(name) for name in classes], 1)


def open_clip_embeddings(clip, classes, templates):
    import open_clip

    functions = [lambda name, template=template: template.format(name) for template in templates]
    return open_clip.build_zero_shot_classifier(clip, open_clip.SimpleTokenizer(), classes, functions)
