"""Reads {"orders": [{"n", "seed", "epoch", "shuffle", "num_replicas"}], "literals": [Python source], "csv": text};
prints what PyTorch and Python make of them."""

import csv
import io
import json
import sys

from torch.utils.data.distributed import DistributedSampler


def order(n, epoch, num_replicas, **options):
    """Of every rank."""
    samplers = [DistributedSampler(range(n), num_replicas, rank, **options) for rank in range(num_replicas)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    return [list(sampler) for sampler in samplers]


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
