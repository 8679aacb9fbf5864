"""Reads {"root"}: tiny sets that the test wrote. Prints for each set and split the labels and pixels that torchvision's own classes give."""

import base64
import json
import os
import sys
import warnings

import numpy
from torch.utils.data import ConcatDataset
from torchvision import datasets as tv
from torchvision.datasets import cifar, stl10, svhn

for module in (cifar, stl10, svhn):  # the files are not the published ones
    module.check_integrity = lambda *arguments: True

warnings.simplefilter("ignore")
root = json.load(sys.stdin)["root"]
at = lambda name: os.path.join(root, name)
opened = {
    "CIFAR10": lambda split: tv.CIFAR10(at("CIFAR10"), train=split == "train"),
    "CIFAR100": lambda split: tv.CIFAR100(at("CIFAR100"), train=split == "train"),
    "STL10": lambda split: tv.STL10(at("STL10"), split),
    "SVHN": lambda split: tv.SVHN(at("SVHN"), split),
    "DTD": lambda split: tv.DTD(at("DTD"), "test") if split == "test" else ConcatDataset([tv.DTD(at("DTD"), part) for part in ("train", "val")]),
    "FGVCAircraft": lambda split: tv.FGVCAircraft(at("FGVCAircraft"), "test" if split == "test" else "trainval"),
    "Food101": lambda split: tv.Food101(at("Food101"), split),
    "GTSRB": lambda split: tv.GTSRB(at("GTSRB"), split),
    "OxfordIIITPet": lambda split: tv.OxfordIIITPet(at("OxfordIIITPet"), "test" if split == "test" else "trainval"),
    "RenderedSST2": lambda split: tv.RenderedSST2(at("RenderedSST2"), split),
    "StanfordCars": lambda split: tv.StanfordCars(at("StanfordCars"), split),
}


def item(image, label):
    pixels = numpy.asarray(image.convert("RGB")).transpose(2, 0, 1)
    return {"label": int(label), "shape": pixels.shape, "pixels": base64.b64encode(pixels.tobytes()).decode()}


result = {}
for name, open_set in opened.items():
    for split in ("train", "test"):
        dataset = open_set(split)
        result[f"{name} {split}"] = [item(*dataset[i]) for i in range(len(dataset))]
print(json.dumps(result))
