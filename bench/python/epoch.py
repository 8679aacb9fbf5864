"""Measures a CleanCLIP run of one epoch, from reading the csv to the checkpoint."""

import os
import time

import torch

import eda
import models
import pairs as data
import step


def prepare(folder, pairs, side):
    eda.wordnet()  # loaded here, so that it is not measured

    def measure():
        start = time.perf_counter()
        clip, config = models.load(folder, "tiny", side)
        loader = data.loader(data.Pairs(os.path.join(folder, f"pairs_{pairs}.csv"), config["imageSize"]), 32)
        optimizer = torch.optim.AdamW(models.parameter_groups(clip), lr=1e-5)
        clip.train()
        for ids, pixels, augmented_ids, augmented_pixels in loader:
            optimizer.zero_grad()
            step.losses(clip, torch.cat([pixels, augmented_pixels]), torch.cat([ids, augmented_ids]), True)().backward()
            optimizer.step()
            with torch.no_grad():
                clip.logit_scale.clamp_(0, 4.6052)
        state = {"epoch": 1, "name": "epoch", "state_dict": clip.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, os.path.join(folder, "epoch_there.pt"))
        return {"seconds": time.perf_counter() - start}

    return measure
