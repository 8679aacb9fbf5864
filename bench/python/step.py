"""Measures a training step on a batch in memory."""

import time

import torch
from torch.nn import functional as F

import inputs
import models


def prepare(folder, model, pairs, side, inmodal=False, precision=None):
    clip, _ = models.load(folder, model, side)
    clip.train()
    pixels, ids = inputs.batch(folder)
    optimizer = torch.optim.AdamW(models.parameter_groups(clip), lr=5e-4)
    compute = open_clip_losses(clip, pixels, ids) if side == "open_clip" else losses(clip, pixels, ids, inmodal)
    steps = 0

    def measure():
        nonlocal steps
        steps += 1
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = 5e-4 * steps / 10_000
        optimizer.zero_grad()
        loss = compute()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            clip.logit_scale.clamp_(0, 4.6052)
        value = loss.item()
        return {"seconds": time.perf_counter() - start, "loss": value, "bytes": inputs.peak_bytes()}

    return measure


def losses(clip, pixels, ids, inmodal):
    pairs = len(ids) // 2 if inmodal else len(ids)
    target = torch.arange(pairs)

    def match(a, b):
        return F.cross_entropy(clip.logit_scale.exp() * a @ b.T, target)

    def compute():
        images, texts = clip(ids, pixels)
        own = images[:pairs], texts[:pairs]
        logits = clip.logit_scale.exp() * own[0] @ own[1].T
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        return loss + (match(own[0], images[pairs:]) + match(own[1], texts[pairs:])) / 2 if inmodal else loss

    return compute


def open_clip_losses(clip, pixels, ids):
    import open_clip

    loss = open_clip.ClipLoss()

    def compute():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=models.BF16):
            return loss(*clip(pixels, ids)[:3])

    return compute
