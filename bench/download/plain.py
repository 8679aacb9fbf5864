"""Downloads a tsv as plain Python does: processes, requests and PIL, in blocks of 50 rows. FILE DIR PROCESSES."""

import csv
import multiprocessing
import os
import sys
import zlib
from io import BytesIO

import requests
from PIL import Image

SIZE = 224
HEADERS = {"User-Agent": "Mozilla/5.0"}


def prepare(content):
    image = Image.open(BytesIO(content)).convert("RGB")
    width, height = image.size
    short = min(width, height)
    image = image.resize((int(SIZE * width / short), int(SIZE * height / short)), Image.BICUBIC)
    left, top = (image.width - SIZE) // 2, (image.height - SIZE) // 2
    return image.crop((left, top, left + SIZE, top + SIZE))


def download(block):
    rows, folder = block
    done = []
    for caption, url in rows:
        name = f"images/{zlib.crc32(url.encode())}.png"
        try:
            response = requests.get(url, timeout=10, headers=HEADERS)
            if response.status_code == 200:
                prepare(response.content).save(os.path.join(folder, name))
                done.append((name, caption))
        except Exception:
            pass
    return done


def main(file, folder, processes):
    os.makedirs(os.path.join(folder, "images"))
    with open(file, newline="") as source:
        rows = [tuple(row) for row in csv.reader(source, delimiter="\t")]
    blocks = [(rows[start : start + 50], folder) for start in range(0, len(rows), 50)]
    with multiprocessing.Pool(int(processes)) as pool, open(os.path.join(folder, "train.csv"), "w") as target:
        writer = csv.writer(target)
        writer.writerow(["image", "caption"])
        for done in pool.imap(download, blocks):
            writer.writerows(done)


if __name__ == "__main__":
    main(*sys.argv[1:])
