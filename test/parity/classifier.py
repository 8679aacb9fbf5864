"""Linear probe and supervised finetuning in plain torch: the other side of classifier.test.ts."""

import json
import math
import sys

import torch
from clip_modules import CLIP
from torch import nn
from torch.nn import functional as F

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


class Finetune(nn.Module):
    def __init__(self, model, classes):
        super().__init__()
        self.linear = nn.Linear(model.text_projection.shape[1], classes)
        self.model = model

    def forward(self, pixels):
        return self.linear(self.model.encode_image((pixels.float() / 255 - MEAN) / STD))


def train(module, batches, rates):
    """One step a batch; returns the losses."""
    biases = [p for n, p in module.named_parameters() if "bias" in n]
    others = [p for n, p in module.named_parameters() if "bias" not in n]
    optimizer = torch.optim.AdamW([{"params": biases, "weight_decay": 0}, {"params": others, "weight_decay": 0.01}])
    losses = []
    module.train()
    for (inputs, labels), rate in zip(batches, rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = F.cross_entropy(module(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def rates(base, warmup, total):
    def rate(step):
        return (
            base * (step + 1) / warmup
            if step < warmup
            else base * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2
        )

    return [rate(step) for step in range(total)]


def hits(module, inputs, labels):
    """How many inputs have their label among the top 1 and the top 3."""
    module.eval()
    with torch.no_grad():
        found = module(inputs).topk(3, 1).indices == labels.unsqueeze(1)
    return [found[:, :k].any(1).sum().item() for k in (1, 3)]


def linear_probe(linear, features, labels, seed, epochs, batch_size):
    """Trains a linear layer on features [N, D]; returns the losses."""
    batches = []
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed + epoch))
        batches += [(features[rows], labels[rows]) for rows in order.split(batch_size)]
    return train(linear, batches, rates(0.005, 0, len(batches)))


def probe(job):
    features, labels = torch.tensor(job["features"]), torch.tensor(job["labels"])
    torch.manual_seed(job["seed"])
    linear = nn.Linear(features.shape[1], job["classes"])
    first = [linear.weight.tolist(), linear.bias.tolist()]
    losses = linear_probe(linear, features, labels, job["seed"], job["epochs"], job["batchSize"])
    return {
        "first": first,
        "losses": losses,
        "weights": [linear.weight.tolist(), linear.bias.tolist()],
        "hits": hits(linear, features, labels),
    }


def classifier(job):
    torch.manual_seed(job["seed"])
    return Finetune(CLIP(job["config"]), job["classes"])


def supervised(job):
    model = CLIP(job["config"])
    model.load_state_dict(torch.load(job["checkpoint"], weights_only=True)["state_dict"])
    torch.manual_seed(job["seed"])
    module = Finetune(model, job["classes"])
    batches = [
        (torch.tensor(b["pixels"], dtype=torch.uint8).view(-1, 3, 32, 32), torch.tensor(b["labels"]))
        for b in job["batches"]
    ]
    losses = train(module, batches, rates(job["lr"], job["warmup"], len(batches)))
    torch.save({"state_dict": module.state_dict()}, job["save"])
    return {"losses": losses, "hits": hits(module, *batches[0])}


def measure(job):
    module = classifier(job)
    module.load_state_dict(torch.load(job["load"], weights_only=True)["state_dict"])
    batch = job["batches"][0]
    return {
        "hits": hits(
            module, torch.tensor(batch["pixels"], dtype=torch.uint8).view(-1, 3, 32, 32), torch.tensor(batch["labels"])
        )
    }


if __name__ == "__main__":
    job = json.load(sys.stdin)
    torch.set_num_threads(1)
    print(json.dumps({"probe": probe, "supervised": supervised, "measure": measure}[job["do"]](job)))
