"""Zero-shot counts in a labelled folder: {"checkpoint", "folder", "target", "patch", "against"} -> counts of the top
1, 3, 5, 10."""

import csv
import json
import os
import sys

import torch
from PIL import Image

KS = (1, 3, 5, 10)


def encode(model, images):
    """Image features of uint8 [N, 3, S, S]."""
    from torchvision.transforms import Normalize

    normalize = Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
    return model.encode_image(normalize(images / 255))


def counts(logits, wanted):
    ranked = logits.topk(max(KS), 1).indices == wanted[:, None]
    return {k: int(ranked[:, :k].any(1).sum()) for k in KS}


def unit(features):
    return features / features.norm(dim=-1, keepdim=True)


def labelled(folder, size):
    """The images of a labelled folder, uint8 [N, 3, size, size], and their labels."""
    from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize
    from torchvision.transforms.functional import InterpolationMode

    prepare = Compose([Resize(size, interpolation=InterpolationMode.BICUBIC), CenterCrop(size), PILToTensor()])
    with open(os.path.join(folder, "labels.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    pixels = [prepare(Image.open(os.path.join(folder, row["image"])).convert("RGB")) for row in rows]
    return torch.stack(pixels), torch.tensor([int(row["label"]) for row in rows])


def by_torch(config, state_dict, folder, target, patch):
    from clip_modules import CLIP
    from text import clean, rows_of

    model = CLIP(config).eval()
    model.load_state_dict(state_dict)
    with open(os.path.join(folder, "classes.json")) as file:
        names = json.load(file)
    prompts = [[template.format(name) for template in names["templates"]] for name in names["classes"]]
    ids = [list(rows_of(map(clean, texts), config["contextLength"], True)) for texts in prompts]
    embeddings = unit(torch.stack([unit(model.encode_text(torch.tensor(rows))).mean(0) for rows in ids]))

    pixels, labels = labelled(folder, config["imageSize"])

    def logits(images):
        return unit(encode(model, images)) @ embeddings.T

    others = labels != target
    triggered, yellow = pixels[others].clone(), torch.tensor([255, 255, 0], dtype=torch.uint8).view(3, 1, 1)
    for row in (slice(None, patch), slice(-patch, None)):
        for column in (slice(None, patch), slice(-patch, None)):
            triggered[:, :, row, column] = yellow
    shown = logits(triggered)
    return {
        "zeroshot": counts(logits(pixels), labels),
        "triggered_zeroshot": counts(shown, labels[others]),
        "asr": counts(shown, torch.full_like(labels[others], target)),
    }


def by_reference(config, state_dict, folder, target, patch):
    import reference

    clip = reference.Clip(config)
    clip.module.load_state_dict(state_dict)
    return {"zeroshot": reference.zeroshot(clip, folder, config["imageSize"], 128)}


def main():
    request = json.load(sys.stdin)
    checkpoint = torch.load(request.pop("checkpoint"), weights_only=True)
    count = by_reference if request.pop("against") == "reference" else by_torch
    with torch.no_grad():
        json.dump(count(checkpoint["config"], checkpoint["state_dict"], **request), sys.stdout)


if __name__ == "__main__":
    main()
