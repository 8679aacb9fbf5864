"""The CLIP rows of the harness: {"job", "modules": "plain" | "float64" | "in order" | "reference", "config", "input",
…}; tensors in files."""

import json
import math
import sys

import torch
from torch.nn import functional as F

from clip_in_order import InOrder
from clip_modules import CLIP

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
NO_DECAY = ("bn", "ln", "bias", "logit_scale")


def normalize(pixels):
    return pixels.float().div(255).sub(MEAN).div(STD).contiguous(memory_format=torch.channels_last)


class Model:
    """A CLIP of the requested modules: `module` has the parameters, `clip` computes."""

    def __init__(self, modules, config, state_dict):
        self.reference = modules == "reference"
        if self.reference:
            import reference

            self.clip = reference.Clip(config)
            self.module = self.clip.module.to(memory_format=torch.channels_last)
        else:
            self.module = CLIP(config).to(memory_format=torch.channels_last)
            self.clip = InOrder(self.module) if modules == "in order" else self.module
        self.module.load_state_dict(state_dict)
        self.dtype = torch.float64 if modules == "float64" else torch.float32
        self.module.to(self.dtype)

    def loss(self, batch, clip_weight, inmodal_weight):
        ids = torch.cat([batch["ids"], batch["augmentedIds"]])
        images, texts = self.clip(ids, normalize(torch.cat([batch["pixels"], batch["augmentedPixels"]])).to(self.dtype))
        if self.reference:
            import reference

            return reference.loss(self.module, images, texts, clip_weight, inmodal_weight)
        scale, n = self.module.logit_scale.exp(), len(batch["ids"])
        target = torch.arange(n)
        logits = scale * images[:n] @ texts[:n].t()
        contrastive = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
        within = [F.cross_entropy(scale * x[:n] @ x[n:].t(), target) for x in (images, texts)]
        return clip_weight * contrastive + inmodal_weight * ((within[0] + within[1]) / 2)


def optimizer_of(model, lr, weight_decay):
    named = list(model.module.named_parameters())
    exempt = [p for name, p in named if any(part in name for part in NO_DECAY)]
    decayed = [p for name, p in named if not any(part in name for part in NO_DECAY)]
    groups = [{"params": exempt, "weight_decay": 0}, {"params": decayed, "weight_decay": weight_decay}]
    return torch.optim.AdamW(groups, lr=lr, fused=True)


def rate(step, base, warmup, total):
    if step < warmup:
        return base * (step + 1) / warmup
    return base * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def features(request, given):
    model = Model(request["modules"], request["config"], given["state_dict"])
    model.module.eval()
    pixels = given["pixels"].contiguous(memory_format=torch.channels_last)
    whole = {"pack": False} if request["modules"] == "in order" else {}
    with torch.no_grad():
        return {"images": model.clip.encode_image(pixels), "texts": model.clip.encode_text(given["ids"], **whole)}


def step(request, given):
    model = Model(request["modules"], request["config"], given["state_dict"])
    model.module.train()
    loss = model.loss(given["batches"][0], request["clipWeight"], request["inmodalWeight"])
    loss.backward()
    gradients = {name: p.grad.contiguous() for name, p in model.module.named_parameters()}
    return {"loss": loss.detach(), "gradients": gradients}


def train(request, given):
    """Steps from `start` over the batches, beginning with the optimizer's state if there is one; may save a
    checkpoint."""
    model = Model(request["modules"], request["config"], given["state_dict"])
    model.module.train()
    optimizer = optimizer_of(model, request["lr"], request["weightDecay"])
    if "optimizer" in given:
        optimizer.load_state_dict(given["optimizer"])
        for group in optimizer.param_groups:
            group["fused"] = True  # a checkpoint of cleanclip says neither; torch takes over what is stored
    losses = []
    for index, batch in enumerate(given["batches"]):
        for group in optimizer.param_groups:
            group["lr"] = rate(request["start"] + index, request["lr"], request["warmup"], request["total"])
        optimizer.zero_grad()
        loss = model.loss(batch, request["clipWeight"], request["inmodalWeight"])
        loss.backward()
        optimizer.step()
        model.module.logit_scale.data.clamp_(0, 4.6052)
        losses.append(loss.item())
    state = {name: tensor.contiguous() for name, tensor in model.module.state_dict().items()}
    if "save" in request:
        content = {
            "epoch": 1,
            "name": "python",
            "state_dict": model.module.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        torch.save(content, request["save"])
    return {"losses": torch.tensor(losses, dtype=torch.float64), "state_dict": state}


def main():
    request = json.load(sys.stdin)
    given = torch.load(request["input"], weights_only=True)
    if "checkpoint" in request:
        given.update(torch.load(request["checkpoint"], weights_only=True))
    torch.save({"features": features, "step": step, "train": train}[request["job"]](request, given), request["output"])
    json.dump(None, sys.stdout)


main()
