"""Python's torch for parity.mjs and steps.mjs, in plain torch: answers a line of JSON with another one. It trains as
open_clip does: autocast over float32 weights, channels_last, fused AdamW, pinned batches of float32 pixels."""

import contextlib
import json
import statistics
import sys
import time
import traceback

import torch
from torch.nn import functional as F

from clip_modules import CLIP, contrastive_loss

DEVICE = torch.device(sys.argv[1])
GPU = DEVICE.type == "cuda"
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Training:
    """A model with its optimizer and a batch, as `prepare` describes them."""

    def __init__(self, weights, batch, pairs, inmodal, precision, config):
        with DEVICE:
            self.clip = CLIP(config).to(memory_format=torch.channels_last)
        self.clip.load_state_dict(torch.load(weights, mmap=True)["state_dict"])
        given = torch.load(batch, mmap=True)
        rows = 2 * pairs if inmodal else pairs
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
        self.pixels = (given["pixels"][:rows].float() / 255 - mean) / std
        self.ids = given["ids"][:rows].clone()
        if GPU:
            self.pixels, self.ids = self.pixels.pin_memory(), self.ids.pin_memory()
        self.pairs, self.dtype = pairs, DTYPES[precision]
        self.optimizer = torch.optim.AdamW(parameter_groups(self.clip), lr=5e-8, betas=(0.9, 0.999), fused=GPU)
        self.scaler = torch.amp.GradScaler(DEVICE.type, enabled=precision == "fp16")

    def step(self):
        pixels = self.pixels.to(DEVICE, non_blocking=True, memory_format=torch.channels_last)
        ids = self.ids.to(DEVICE, non_blocking=True)
        self.optimizer.zero_grad()
        with torch.autocast(DEVICE.type, dtype=self.dtype):
            loss = self.loss(*self.clip(ids, pixels))
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        with torch.no_grad():
            self.clip.logit_scale.clamp_(0, 4.6052)
        return loss.detach()

    def loss(self, images, texts):
        pairs, scale = self.pairs, self.clip.logit_scale.exp()
        target = torch.arange(pairs, device=DEVICE)
        loss = contrastive_loss(images[:pairs], texts[:pairs], self.clip.logit_scale)
        if len(images) == pairs:
            return loss
        inmodal = [F.cross_entropy(scale * x[:pairs] @ x[pairs:].T, target) for x in (images, texts)]
        return loss + sum(inmodal) / 2


def parameter_groups(clip):
    """No weight decay for norms, biases and the logit scale."""
    named = list(clip.named_parameters())
    exempt = [any(part in name for part in ("bn", "ln", "bias", "logit_scale")) for name, _ in named]
    return [
        {"params": [p for (_, p), out in zip(named, exempt) if out == group], "weight_decay": 0 if group else 0.1}
        for group in (True, False)
    ]


class Clock:
    """Marks in the GPU's work, or in time."""

    def __init__(self):
        self.event = torch.cuda.Event(enable_timing=True) if GPU else None
        self.time = time.perf_counter()
        if GPU:
            self.event.record()

    def until(self, later):
        return self.event.elapsed_time(later.event) / 1000 if GPU else later.time - self.time


def measure(training, steps):
    """One step to warm up, then so many back to back: the loss of the first, seconds of each, and the gaps between."""
    first = training.step().item()
    if GPU:
        torch.cuda.reset_peak_memory_stats()
    marks, enqueued = [], []
    for _ in range(steps):
        start = time.perf_counter()
        begin = Clock()
        training.step()
        marks.append((begin, Clock()))
        enqueued.append(time.perf_counter() - start)
    if GPU:
        torch.cuda.synchronize()
    result = {
        "loss": first,
        "steps": [begin.until(end) for begin, end in marks],
        "gaps": [end.until(begin) for (_, end), (begin, _) in zip(marks, marks[1:])],
        "enqueue": statistics.median(enqueued),
    }
    if GPU:
        result["bytes"] = torch.cuda.max_memory_allocated()
        torch.cuda.empty_cache()  # for the other side
    return result


def parity(case):
    """Features, loss and gradients in float32, written to a file."""
    given = torch.load(case["input"], weights_only=True)
    with DEVICE:
        model = CLIP(case["config"]).to(memory_format=torch.channels_last)
    model.load_state_dict(given["state_dict"])
    images, texts = model(given["ids"].to(DEVICE), given["pixels"].to(DEVICE, memory_format=torch.channels_last))
    loss = contrastive_loss(images, texts, model.logit_scale)
    loss.backward()
    gradients = {name: parameter.grad.cpu().contiguous() for name, parameter in model.named_parameters()}
    torch.save(
        {"images": images.detach().cpu(), "texts": texts.detach().cpu(), "loss": loss.item(), "gradients": gradients},
        case["output"],
    )


def main():
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    torch.backends.cudnn.benchmark = True
    training = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if "parity" in message:
                torch.backends.cudnn.allow_tf32 = False
                parity(message["parity"])
                answer = {}
            elif "prepare" in message:
                training = None
                training = Training(**message["prepare"])
                answer = {}
            elif "measure" in message:
                answer = measure(training, message["measure"])
            else:
                answer = {"torch": torch.__version__, "python": sys.version.split()[0], "cuda": torch.version.cuda}
        except Exception as error:
            out_of_memory = isinstance(error, torch.OutOfMemoryError)
            if not out_of_memory:
                traceback.print_exc()
            training = None
            answer = {"error": str(error).split("\n")[0], "code": "OOM" if out_of_memory else "PYTHON"}
        if training is None and GPU:
            torch.cuda.empty_cache()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


with contextlib.suppress(KeyboardInterrupt):
    main()
