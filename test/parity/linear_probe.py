"""A linear probe on a labelled folder: {"checkpoint", "folder", "classes", "seed", "epochs", "batchSize"} -> how many
images it gets right."""

import json
import sys

import torch
from classifier import hits, linear_probe
from clip_modules import CLIP
from zeroshot import encode, labelled


def main():
    job = json.load(sys.stdin)
    checkpoint = torch.load(job["checkpoint"], weights_only=True)
    model = CLIP(checkpoint["config"]).eval()
    model.load_state_dict(checkpoint["state_dict"])
    pixels, labels = labelled(job["folder"], checkpoint["config"]["imageSize"])
    with torch.no_grad():
        features = encode(model, pixels)
    torch.manual_seed(job["seed"])
    linear = torch.nn.Linear(features.shape[1], job["classes"])
    losses = linear_probe(linear, features, labels, job["seed"], job["epochs"], job["batchSize"])
    json.dump({"loss": losses[-1], "right": hits(linear, features, labels)[0]}, sys.stdout)


main()
