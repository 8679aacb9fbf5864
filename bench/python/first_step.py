"""`python first_step.py <folder>` does one training step of 8 pairs, and ends."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "test", "parity"))

import torch

import models
import step
import tokens

clip, config = models.load(sys.argv[1], "tiny", "reference")
ids = tokens.tokenizer()([f"a photo of number {i}" for i in range(8)])
pixels = torch.zeros(8, 3, config["imageSize"], config["imageSize"])
optimizer = torch.optim.AdamW(models.parameter_groups(clip), lr=5e-4)
step.losses(clip, pixels, ids, False)().backward()
optimizer.step()
