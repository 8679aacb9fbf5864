"""Measures the cost of torch.add of two one-element tensors."""

import time

import torch

CALLS = 200_000


def prepare(side, folder):
    a, b = torch.ones(1), torch.ones(1)

    def single():
        for _ in range(10):
            torch.add(a, b)

    def chain():
        total = a
        for _ in range(10):
            total = torch.add(total, b)

    return lambda: {"add": seconds_a_call(single), "chain": seconds_a_call(chain)}


def seconds_a_call(ten):
    start = time.perf_counter()
    for _ in range(CALLS // 10):
        ten()
    return (time.perf_counter() - start) / CALLS
