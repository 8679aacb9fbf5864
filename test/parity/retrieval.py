"""Recall of retrieval with five captions an image, from a file of embeddings: {"embeddings"} -> {"shapes", "metadata",
"recall"}. The ranks of the images are in an array of as many places as there are captions, as in the Python code of
CleanCLIP: four of five places stay 0 and count as hits."""

import json
import sys

import numpy as np
from safetensors import safe_open

CAPTIONS = 5
KS = (1, 5, 10)


def recall(ranks):
    return [100 * float(np.mean(ranks < k)) for k in KS]


def ranks_of(scores, own):
    """How many candidates come before the best own one, for each row of scores."""
    ranks = []
    for row, wanted in zip(scores, own):
        order = np.argsort(-row, kind="stable")
        ranks.append(min(int(np.where(order == candidate)[0][0]) for candidate in wanted))
    return np.array(ranks)


given = json.load(sys.stdin)
with safe_open(given["embeddings"], "np") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    metadata = file.metadata()
images = tensors["image_embeddings"].astype(np.float64)
texts = tensors["text_embeddings"].astype(np.float64)
count = len(images)
scores = images @ texts.T
of_image = ranks_of(scores, [range(CAPTIONS * i, CAPTIONS * (i + 1)) for i in range(count)])
of_text = ranks_of(scores.T, [[i // CAPTIONS] for i in range(CAPTIONS * count)])
as_printed = np.zeros(CAPTIONS * count)
as_printed[:count] = of_image
names = [*(f"txt_r{k}" for k in KS), *(f"img_r{k}" for k in KS), *(f"reference_txt_r{k}" for k in KS)]
found = dict(zip(names, recall(of_image) + recall(of_text) + recall(as_printed)))
shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
json.dump({"shapes": shapes, "metadata": metadata, "recall": found}, sys.stdout)
