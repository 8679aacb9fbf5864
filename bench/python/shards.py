"""Loads an epoch of the pairs of tars as users of WebDataset do, and writes the same pairs as a parquet."""

import glob
import os
import time

import pandas
import pyarrow
import pyarrow.parquet
import torch
import webdataset
from torchvision import transforms
from torchvision.transforms import InterpolationMode


def write_parquet(folder, pairs):
    table = pandas.read_csv(os.path.join(folder, f"files_{pairs}.csv"))
    images = [
        {"bytes": open(os.path.join(folder, name), "rb").read(), "path": os.path.basename(name)}
        for name in table["image"]
    ]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    columns = {"image": pyarrow.array(images, kind), "caption": table["caption"].tolist()}
    # as datasets writes it: images are not compressed again
    pyarrow.parquet.write_table(
        pyarrow.table(columns),
        os.path.join(folder, f"pairs_{pairs}.parquet"),
        row_group_size=100,
        compression={"image.bytes": "none", "image.path": "none", "caption": "snappy"},
    )


def prepare(folder, pairs, side):
    torch.set_num_threads(1)
    write_parquet(folder, pairs)
    shards = sorted(glob.glob(os.path.join(folder, f"shards_{pairs}", "*.tar")))
    transform = transforms.Compose(
        [
            lambda image: image.convert("RGB"),
            transforms.Resize(224, interpolation=InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.PILToTensor(),
        ]
    )

    def measure():
        dataset = (
            webdataset.WebDataset(shards, shardshuffle=len(shards), seed=0)
            .shuffle(1000)
            .decode("pil")
            .to_tuple("jpg", "txt")
            .map_tuple(transform, lambda text: text)
            .batched(32, partial=False)
        )
        batches = iter(webdataset.WebLoader(dataset, batch_size=None, num_workers=2))
        next(batches)  # the workers have started
        start = time.perf_counter()
        for _ in batches:
            pass
        return {"tars": (time.perf_counter() - start) / pairs}

    return measure
