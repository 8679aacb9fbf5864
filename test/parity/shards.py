"""Writes and reads sets as WebDataset and pyarrow do: a JSON task on stdin, a JSON answer on stdout."""

import hashlib
import json
import os
import sys

import pyarrow
import pyarrow.parquet
import webdataset

IMAGE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def write(folder, pairs):
    """Writes the pairs, of [image path, caption], as tars and as parquet files of several kinds."""
    images = [open(os.path.join(folder, path), "rb").read() for path, _ in pairs]
    captions = [caption for _, caption in pairs]
    half = (len(pairs) + 1) // 2
    for shard, start in enumerate([0, half]):
        with webdataset.TarWriter(os.path.join(folder, f"{shard}.tar")) as tar:
            for row in range(start, min(start + half, len(pairs))):
                texts = {"txt": captions[row]} if row % 2 == 0 else {"json": {"caption": captions[row]}}
                tar.write({"__key__": f"{row:06d}", "png": images[row], **texts})
    names = [f"backdoor_{row}.png" if row == 1 else None for row in range(len(pairs))]
    structs = pyarrow.array([{"bytes": image, "path": name} for image, name in zip(images, names)], IMAGE)
    paths = pyarrow.array([{"bytes": None, "path": path} for path, _ in pairs], IMAGE)
    for codec in ["none", "snappy", "zstd", "gzip", "brotli"]:
        save(folder, "plain" if codec == "none" else codec, {"image": structs, "caption": captions}, compression=codec)
    save(folder, "bytes", {"jpg": images, "text": captions}, compression="none")
    save(folder, "v2", {"image": structs, "caption": captions}, compression="none", data_page_version="2.0")
    save(folder, "delta", {"image": structs, "caption": captions}, use_dictionary=False, compression="none",
         column_encoding={"image.bytes": "DELTA_LENGTH_BYTE_ARRAY"})
    save(folder, "paths", {"image": [path for path, _ in pairs], "caption": captions})
    save(folder, "struct_paths", {"image": paths, "caption": captions})
    save(folder, "lists", {"image": structs, "caption": [[caption, "another", "third"] for caption in captions]})
    odd = list(captions)
    odd[0] = None
    holes = structs.to_pylist()
    holes[1] = None
    holes[2] = {"bytes": b"", "path": None}
    holes[3] = {"bytes": None, "path": "https://x.org/a.png"}
    marks = [None, True, False] + [row % 2 == 0 for row in range(3, len(pairs))]
    columns = {"image": pyarrow.array(holes, IMAGE), "caption": odd, "is_backdoor": marks}
    save(folder, "odd", columns, compression="none")
    save(folder, "odd_snappy", columns, compression="snappy")


def save(folder, name, columns, **options):
    pyarrow.parquet.write_table(
        pyarrow.table(columns), os.path.join(folder, f"{name}.parquet"), row_group_size=10, **options
    )


def read(tars):
    """Returns key, caption, the SHA-256 of the image and the mark of each sample."""
    return [
        [sample["__key__"], caption(sample), hashlib.sha256(raw(sample)).hexdigest(), sample["json"]["is_backdoor"]]
        for sample in webdataset.WebDataset(tars, shardshuffle=False).map(with_json)
    ]


def caption(sample):
    return sample["txt"].decode() if "txt" in sample else sample["json"]["caption"]


def with_json(sample):
    return {**sample, "json": json.loads(sample["json"])}


def raw(sample):
    return next(value for key, value in sample.items() if key in ("png", "jpg"))


task = json.load(sys.stdin)
answer = write(task["folder"], task["pairs"]) if "pairs" in task else read(task["tars"])
print(json.dumps(answer))
