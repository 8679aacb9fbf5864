"""Reads {"root"}: tiny sets that the test wrote. Prints for each set and split the labels and pixels that
torchvision's own classes give.
Then writes some of the files again, below root/again, with scipy's and Python's own writers."""

import base64
import importlib.util
import json
import os
import pickle
import sys
import types
import warnings

import numpy
import scipy.io
from torch.utils.data import ConcatDataset

# torchvision's own start loads compiled operators, which need the torch they were built with; its data sets need none
# of them.
torchvision = types.ModuleType("torchvision")
torchvision.__path__ = importlib.util.find_spec("torchvision").submodule_search_locations
torchvision.get_image_backend = lambda: "PIL"  # what its start defines, too
sys.modules["torchvision"] = torchvision

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
    "DTD": lambda split: (
        tv.DTD(at("DTD"), "test")
        if split == "test"
        else ConcatDataset([tv.DTD(at("DTD"), part) for part in ("train", "val")])
    ),
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


def path(*parts):
    file = os.path.join(root, "again", *parts)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    return file


for protocol in (3, 4, 5):
    with open(at("CIFAR10/cifar-10-batches-py/test_batch"), "rb") as source:
        batch = pickle.load(source, encoding="latin1")
    with open(path(f"pickle{protocol}", "test_batch"), "wb") as target:
        pickle.dump(batch, target, protocol=protocol)
digits = {name: value for name, value in scipy.io.loadmat(at("SVHN/test_32x32.mat")).items() if name in "Xy"}
for compressed in (False, True):
    scipy.io.savemat(path(f"mat{compressed}", "test_32x32.mat"), digits, do_compression=compressed)
    cars = scipy.io.loadmat(at("StanfordCars/stanford_cars/cars_test_annos_withlabels.mat"))
    scipy.io.savemat(
        path(f"mat{compressed}", "cars_test_annos_withlabels.mat"),
        {"annotations": cars["annotations"]},
        do_compression=compressed,
    )
