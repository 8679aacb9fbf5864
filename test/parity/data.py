"""Reads {"orders": [{"n", "seed", "epoch"}], "literals": [Python source], "csv": text}; prints what PyTorch and Python make of them."""

import csv
import io
import json
import sys

from torch.utils.data.distributed import DistributedSampler


def order(n, seed, epoch):
    sampler = DistributedSampler(range(n), num_replicas=1, rank=0, seed=seed)
    sampler.set_epoch(epoch)
    return list(sampler)


given = json.load(sys.stdin)
print(
    json.dumps(
        {
            "orders": [order(**item) for item in given["orders"]],
            "literals": [eval(source) for source in given["literals"]],
            "csv": list(csv.reader(io.StringIO(given["csv"], newline=""))),
        }
    )
)
