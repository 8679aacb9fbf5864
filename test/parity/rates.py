"""Reads {"lr", "warmup", "batches", "epochs", "against"}; prints the rate of every step: epochs counted from 0, and
from 1."""

import json
import math
import sys

import torch

request = json.load(sys.stdin)
against = request.pop("against")
lr, warmup, batches, epochs = (request[key] for key in ("lr", "warmup", "batches", "epochs"))


def by_torch(first_epoch):
    """By torch's scheduler: linear warm-up, then half a cosine, wherever the step numbers lead."""
    total, optimizer = batches * epochs, torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=lr)

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    result = []
    for step in range(batches * (epochs + first_epoch)):
        if step >= batches * first_epoch:
            result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return result


if against == "reference":
    import reference

    json.dump({"ours": None, "reference": reference.rates(lr, warmup, batches, epochs)}, sys.stdout)
else:
    json.dump({"ours": by_torch(0), "reference": by_torch(1)}, sys.stdout)
