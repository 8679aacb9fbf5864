"""Trains two towers of one layer each by CleanCLIP's loss as one rank of torch's DistributedDataParallel.

The weights and the batches of both ranks come on stdin; by gathering, the weights at the end go to stdout:
"reference" puts the rank's own features back among the gathered ones, "exact" gathers with
torch.distributed.nn.functional.
"""

import json
import os
import sys
import warnings

import torch
import torch.distributed as dist
import torch.distributed.nn.functional
from torch.nn.functional import cross_entropy, normalize


class Towers(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        for name, values in weights.items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(values)))

    def forward(self, images, texts, other_images, other_texts):
        return [
            normalize(x.mm(tower), dim=1)
            for x, tower in [
                (images, self.image),
                (texts, self.text),
                (other_images, self.image),
                (other_texts, self.text),
            ]
        ]


def gather_reference(own):
    parts = [torch.zeros_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, own)
    parts[dist.get_rank()] = own
    return torch.cat(parts)


def gather_exact(own):
    return torch.cat(torch.distributed.nn.functional.all_gather(own))


def match(a, b, scale):
    return cross_entropy(scale * a @ b.t(), torch.arange(len(a)))


def train(given, gather):
    model = Towers(given["weights"])
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=given["lr"], eps=given["eps"], weight_decay=given["weightDecay"]
    )
    for batch in given["batches"]:
        own = [torch.tensor(values).chunk(dist.get_world_size())[dist.get_rank()] for values in batch]
        images, texts, other_images, other_texts = map(gather, parallel(*own))
        scale = model.logit_scale.exp()
        contrastive = (match(images, texts, scale) + match(texts, images, scale)) / 2
        inmodal = (match(images, other_images, scale) + match(texts, other_texts, scale)) / 2
        optimizer.zero_grad()
        (contrastive + 0.5 * inmodal).backward()
        optimizer.step()
    return [parameter.tolist() for parameter in model.parameters()]


warnings.simplefilter("ignore", FutureWarning)  # newer torches advise another all_gather
given = json.load(sys.stdin)
dist.init_process_group("gloo")
trained = {"reference": train(given, gather_reference), "exact": train(given, gather_exact)}
dist.barrier()
dist.destroy_process_group()
print(json.dumps(trained), flush=True)
os._exit(0)  # the interpreter's own end may meet a thread of Gloo, and aborts ("terminate called")
