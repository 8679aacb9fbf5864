"""Measures the tokenisation of captions."""

import json
import os
import time

import torch


def prepare(folder, captions, side):
    with open(os.path.join(folder, "captions.json")) as file:
        texts = json.load(file)
    encode = open_clip_tokenizer() if side == "open_clip" else tokenizer()

    def measure():
        start = time.perf_counter()
        encode(texts)
        return {"seconds": time.perf_counter() - start}

    return measure


def tokenizer():
    """Returns OpenAI's tokenizer: a list of strings -> int64 [N, 77]."""
    import text

    bpe = text.Bpe()

    def encode(texts):
        ids = torch.zeros(len(texts), 77, dtype=torch.long)
        for row, words in enumerate(texts):
            tokens = [49406, *bpe.encode(text.clean(words)), 49407][:77]
            ids[row, : len(tokens)] = torch.tensor(tokens)
        return ids

    return encode


def open_clip_tokenizer():
    import open_clip

    return open_clip.SimpleTokenizer()
