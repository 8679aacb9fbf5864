"""A rank of torch's DistributedDataParallel. ranks.mjs starts it; rank.mjs does the same with ours."""

import contextlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "python"), os.path.join(HERE, "..", "..", "test", "parity")]

import torch
import torch.distributed as dist
from torch.nn import functional as F

import inputs
import models


class Rank:
    def open(self, folder):
        dist.init_process_group("gloo")
        self.clip, _ = models.load(folder, "model", "reference")
        self.clip.train()
        # Torch's fastest settings: gradients as views into their buckets, and the fused optimizer, which ours has too.
        self.parallel = torch.nn.parallel.DistributedDataParallel(self.clip, gradient_as_bucket_view=True)
        self.optimizer = torch.optim.AdamW(models.parameter_groups(self.clip), lr=1e-5, fused=True)
        self.pixels, self.ids = inputs.batch(folder)
        return {"loss": self.step(self.rows(2), True, [0, 0, 0])}

    def steps(self, pairs, count, exchange):
        rows, spent = self.rows(pairs), [0, 0, 0]
        dist.barrier()
        start, before = time.perf_counter(), time.process_time()
        for _ in range(count):
            self.step(rows, exchange, spent)
        return {
            "seconds": (time.perf_counter() - start) / count,
            "cpu": (time.process_time() - before) / count,
            **{name: total / count for name, total in zip(("forward", "backward", "optimizer"), spent)},
        }

    def exchange(self, sizes, count):
        tensors = [torch.zeros(size // 4) for size in sizes]

        def once():
            for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
                work.wait()

        once()
        dist.barrier()
        start = time.perf_counter()
        for _ in range(count):
            once()
        return {"seconds": (time.perf_counter() - start) / count}

    def close(self):
        dist.barrier()
        dist.destroy_process_group()
        return {}

    def rows(self, pairs):
        own = slice(dist.get_rank() * pairs, (dist.get_rank() + 1) * pairs)
        return self.ids[own], self.pixels[own]

    def step(self, rows, exchange, spent):
        marks = [time.perf_counter()]
        with contextlib.nullcontext() if exchange else self.parallel.no_sync():
            images, texts = (gathered(embeds) if exchange else embeds for embeds in self.parallel(*rows))
            marks.append(time.perf_counter())
            logits = self.clip.logit_scale.exp() * images @ texts.T
            target = torch.arange(len(logits))
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            loss.backward()
            value = loss.item()
        marks.append(time.perf_counter())
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.clip.logit_scale.clamp_(0, 4.6052)
        marks.append(time.perf_counter())
        for i in range(3):
            spent[i] += marks[i + 1] - marks[i]
        return value


def gathered(embeds):
    parts = [torch.empty_like(embeds) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, embeds.detach().contiguous())
    parts[dist.get_rank()] = embeds
    return torch.cat(parts)


def main():
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries may print, which would not be an answer
    rank = Rank()
    for line in sys.stdin:
        message = json.loads(line)
        answers.write(json.dumps(getattr(rank, message.pop("action"))(**message)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
