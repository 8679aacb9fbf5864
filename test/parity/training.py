"""The losses, AdamW and schedule of training in plain torch, on two linear encoders."""
import json
import math
import sys

import torch
import torch.nn.functional as F


def encoders(weights):
    model = torch.nn.Module()
    for name, value in weights.items():
        model.register_parameter(name, torch.nn.Parameter(torch.tensor(value)))
    return model


def clean_clip_loss(model, batch, clip_weight, inmodal_weight):
    def embed(x, weight, bias):
        return F.normalize(torch.tensor(x) @ weight + bias, dim=-1)

    images, other_images = (embed(batch[k], model.image, model.image_bias) for k in ("images", "otherImages"))
    texts, other_texts = (embed(batch[k], model.text, model.text_bias) for k in ("texts", "otherTexts"))
    scale = model.logit_scale.exp()
    target = torch.arange(len(images))

    def match(a, b):
        return F.cross_entropy(scale * a @ b.t(), target)

    contrastive = (match(images, texts) + match(texts, images)) / 2
    inmodal = (match(images, other_images) + match(texts, other_texts)) / 2
    return clip_weight * contrastive + inmodal_weight * inmodal


def rate(step, base, warmup, total):
    if step < warmup:
        return base * (step + 1) / warmup
    return base * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def run(job):
    torch.set_num_threads(1)
    model = encoders(job["weights"])
    exempt = [p for n, p in model.named_parameters() if "bias" in n or "logit_scale" in n]
    decayed = [p for n, p in model.named_parameters() if not ("bias" in n or "logit_scale" in n)]
    optimizer = torch.optim.AdamW(
        [{"params": exempt, "weight_decay": 0}, {"params": decayed, "weight_decay": 0.1}], lr=job["lr"]
    )
    start = 0
    if job.get("load"):
        checkpoint = torch.load(job["load"], weights_only=True)
        model.load_state_dict(checkpoint["state_dict"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        start = checkpoint["step"]
    losses, gradients = [], None
    for step in range(start, job["until"]):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, job["lr"], job["warmup"], job["total"])
        optimizer.zero_grad()
        loss = clean_clip_loss(model, job["batches"][step % len(job["batches"])], 1, 0.5)
        loss.backward()
        gradients = gradients or {n: p.grad.tolist() for n, p in model.named_parameters()}
        optimizer.step()
        model.logit_scale.data.clamp_(0, 4.6052)
        losses.append(loss.item())
    if job.get("save"):
        torch.save(
            {"epoch": 0, "name": "p", "state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "step": job["until"]},
            job["save"],
        )
    return {"losses": losses, "gradients": gradients, "weights": {n: p.tolist() for n, p in model.named_parameters()}}


print(json.dumps(run(json.load(sys.stdin))))
