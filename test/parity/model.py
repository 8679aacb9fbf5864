"""For each case: the model of a configuration with a state dict that Node wrote, its embeddings, gradients and
statistics."""

import json
import sys

import torch

from clip_modules import CLIP, contrastive_loss


def run(case):
    given = torch.load(case["input"], weights_only=True)
    # As in Node: convolutions of another memory format round differently, and each ReLU that this flips moves a
    # gradient.
    model = CLIP(case["config"]).to(memory_format=torch.channels_last)
    model.load_state_dict(given["state_dict"])
    model.train(case["training"])
    pixels = given["pixels"].contiguous(memory_format=torch.channels_last)
    images, texts = model(given["ids"], pixels)
    contrastive_loss(images, texts, model.logit_scale).backward()
    result = {
        "images": images.detach(),
        "texts": texts.detach(),
        "gradients": {name: parameter.grad.contiguous() for name, parameter in model.named_parameters()},
        "buffers": dict(model.named_buffers()),
    }
    torch.save(result, case["output"])
    return {"parameters": [name for name, _ in model.named_parameters()], "state": list(model.state_dict())}


json.dump([run(case) for case in json.load(sys.stdin)], sys.stdout)
