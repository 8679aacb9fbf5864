"""Loads the pairs of a csv as CleanCLIP's code does: it tokenises all captions, and their augmented versions, first."""

import os

import pandas
import torch
from PIL import Image
from torchvision import transforms

import eda
import inputs
import tokens


class Pairs(torch.utils.data.Dataset):
    def __init__(self, file, size, inmodal=True):
        table = pandas.read_csv(file)
        encode = tokens.tokenizer()
        self.root = os.path.dirname(file)
        self.images = table["image"].tolist()
        self.captions = table["caption"].tolist()
        self.ids = encode(self.captions)
        self.augmented_ids = encode([eda.augment(caption) for caption in self.captions]) if inmodal else None
        self.transform, self.augment = inputs.transform(size), transforms.AutoAugment()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        path = os.path.join(self.root, self.images[row])
        pixels = self.transform(Image.open(path))
        if self.augmented_ids is None:
            return self.ids[row], pixels
        return self.ids[row], pixels, self.augmented_ids[row], self.transform(self.augment(Image.open(path)))


def loader(pairs, batch_size):
    return torch.utils.data.DataLoader(pairs, batch_size=batch_size, shuffle=True, num_workers=2, drop_last=True)
