"""What PIL makes of images: decoding, resizing, and AutoAugment's operations. JSON in, JSON out, pixels in files."""

import json
import math
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFile, ImageOps

ImageFile.LOAD_TRUNCATED_IMAGES = True
warnings.simplefilter("ignore")


def photo(width, height, seed=0):
    """Gradients, discs and noise: smooth parts, edges and texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([128 + 90 * np.sin(x / 17) + 20 * np.cos(y / 9), 255 * x / width, 255 * y / height], -1)
    for _ in range(12):
        row, column, radius = rng.integers(height), rng.integers(width), rng.integers(2, 3 + min(width, height) // 4)
        pixels[(y - row) ** 2 + (x - column) ** 2 < radius**2] = rng.integers(0, 256, 3)
    return Image.fromarray(np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8))


def write_png16(path, colour_type, pixels):
    """PIL writes no 16-bit colour."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_images(folder, width, height):
    image = photo(width, height)
    rng = np.random.default_rng(1)
    grey = image.convert("L")
    alpha = Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
    rgba, clear, grey_alpha = image.copy(), image.copy(), grey.copy()
    rgba.putalpha(alpha)
    clear.putalpha(0)
    grey_alpha.putalpha(alpha)
    palette = image.quantize(64)
    rotated = Image.Exif()
    rotated[0x0112] = 6
    wide = np.asarray(image).astype(np.uint16) * 256 + rng.integers(0, 256, (height, width, 3)).astype(np.uint16)
    frames = [image.rotate(30), image.rotate(60)]

    def save(name, what, **options):
        what.save(folder / name, **options)

    for name, subsampling in (("444", 0), ("422", 1), ("420", 2), ("411", "4:1:1")):
        save(f"{name}.jpg", image, quality=85, subsampling=subsampling)
    save("progressive.jpg", image, quality=70, progressive=True)
    save("grey.jpg", grey)
    save("cmyk.jpg", image.convert("CMYK"))
    save("exif.jpg", image, exif=rotated)
    save("profile.jpg", image, icc_profile=SWAPPED_PROFILE)
    save("untransformed.jpg", image, keep_rgb=True)
    save("colour.png", image)
    save("colour_key.png", image, transparency=image.getpixel((0, 0)))
    save("alpha.png", rgba)
    save("clear.png", clear)
    save("grey.png", grey)
    save("grey_alpha.png", grey_alpha)
    save("bilevel.png", image.convert("1"))
    save("palette.png", palette)
    save("palette_2bit.png", image.quantize(4), bits=2)
    save("palette_index_clear.png", palette, transparency=3)
    save("palette_alpha.png", palette, transparency=bytes(range(0, 256, 4)))
    save("colour.tif", image)
    save("lzw.tif", image, compression="tiff_lzw")
    save("cmyk.tif", image.convert("CMYK"))
    save("lossy.webp", image)
    save("lossless.webp", image, lossless=True)
    save("alpha.webp", rgba)
    save("alpha_exact.webp", rgba, lossless=True, exact=True)
    save("animated.webp", image, save_all=True, append_images=frames)
    save("still.gif", palette)
    save("clear_index.gif", palette, transparency=5)
    save("animated.gif", image, save_all=True, append_images=frames)
    save("grey.gif", grey)
    Image.fromarray(wide[..., 0]).save(folder / "grey16.png")
    Image.fromarray(wide[..., 0] // 128).save(folder / "grey16_dark.png")
    write_png16(folder / "colour16.png", 2, wide)
    write_png16(folder / "alpha16.png", 6, np.concatenate([wide, wide[..., :1]], -1))
    write_png16(folder / "grey_alpha16.png", 4, wide[..., :2])
    for name in ("420", "progressive"):
        whole = (folder / f"{name}.jpg").read_bytes()
        last_scan = whole.rindex(b"\xff\xda")  # a cut inside a table would leave PIL with nothing
        (folder / f"{name}_truncated.jpg").write_bytes(whole[: (last_scan + len(whole)) // 2])


def resize_crop(image, size):
    """torchvision's Resize(size, BICUBIC) and CenterCrop(size)."""
    width, height = image.size
    long = int(size * max(width, height) / min(width, height))
    image = image.resize((size, long) if width <= height else (long, size), Image.BICUBIC)
    left, top = int(round((image.width - size) / 2.0)), int(round((image.height - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


def shift(image, a, b, c, d, e, f):
    return image.transform(image.size, Image.AFFINE, (a, b, c, d, e, f), Image.NEAREST, fillcolor=(0, 0, 0))


def slope(magnitude):
    return math.tan(math.radians(math.degrees(math.atan(magnitude))))


OPERATIONS = {
    "ShearX": lambda image, m: shift(image, 1, slope(m), 0, 0, 1, 0),
    "ShearY": lambda image, m: shift(image, 1, 0, 0, slope(m), 1, 0),
    "TranslateX": lambda image, m: shift(image, 1, 0, -int(m), 0, 1, 0),
    "TranslateY": lambda image, m: shift(image, 1, 0, 0, 0, 1, -int(m)),
    "Rotate": lambda image, m: image.rotate(m, Image.NEAREST, fillcolor=(0, 0, 0)),
    "Brightness": lambda image, m: ImageEnhance.Brightness(image).enhance(1.0 + m),
    "Color": lambda image, m: ImageEnhance.Color(image).enhance(1.0 + m),
    "Contrast": lambda image, m: ImageEnhance.Contrast(image).enhance(1.0 + m),
    "Sharpness": lambda image, m: ImageEnhance.Sharpness(image).enhance(1.0 + m),
    "Posterize": lambda image, m: ImageOps.posterize(image, int(m)),
    "Solarize": lambda image, m: ImageOps.solarize(image, m),
    "AutoContrast": lambda image, m: ImageOps.autocontrast(image),
    "Equalize": lambda image, m: ImageOps.equalize(image),
    "Invert": lambda image, m: ImageOps.invert(image),
}


def magnitudes(name, width, height):
    """Each bin with each sign, as torchvision lays them out, in single precision."""
    import torch

    ends = {
        "ShearX": 0.3,
        "ShearY": 0.3,
        "Rotate": 30.0,
        "TranslateX": 150 / 331 * width,
        "TranslateY": 150 / 331 * height,
    }
    if name == "Posterize":
        return [8 - round(i / (9 / 4)) for i in range(10)]
    if name == "Solarize":
        return torch.linspace(255.0, 0.0, 10).tolist()
    if name in ("AutoContrast", "Equalize", "Invert"):
        return [0.0]
    bins = torch.linspace(0.0, ends.get(name, 0.9), 10).tolist()
    return bins + [-m for m in bins]


def decode(folder, width, height):
    write_images(folder, width, height)
    result = []
    for path in sorted(folder.iterdir()):
        image = Image.open(path)
        mode, image = image.mode, image.convert("RGB")
        image_bytes = folder / f"{path.name}.rgb"
        image_bytes.write_bytes(image.tobytes())
        result.append(
            {
                "file": str(path),
                "expected": str(image_bytes),
                "mode": mode,
                "width": image.width,
                "height": image.height,
            }
        )
    return result


def resize(folder, sizes, targets):
    result = []
    for width, height in sizes:
        path = folder / f"{width}x{height}.png"
        image = photo(width, height)
        image.save(path)
        for target in targets:
            expected = folder / f"{path.stem}_{target}.rgb"
            expected.write_bytes(resize_crop(image, target).tobytes())
            result.append({"file": str(path), "expected": str(expected), "size": target})
    return result


def augment(folder, sizes):
    result = []
    flat = Image.new("RGB", (40, 30), (10, 200, 90))
    narrow = photo(120, 80).point(lambda v: 60 + v // 4)
    for number, image in enumerate([photo(w, h, seed) for seed, (w, h) in enumerate(sizes)] + [flat, narrow]):
        path = folder / f"augment{number}.png"
        image.save(path)
        for name, operation in OPERATIONS.items():
            levels = magnitudes(name, *image.size)
            expected = folder / f"{path.stem}_{name}.rgb"
            expected.write_bytes(b"".join(operation(image, m).tobytes() for m in levels))
            result.append({"file": str(path), "name": name, "magnitudes": levels, "expected": str(expected)})
    return result


# An RGB profile whose red and green are swapped: who applies it is found out.
def swapped_profile():
    def fixed(*values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    def xyz(*values):
        return b"XYZ \0\0\0\0" + fixed(*values)

    tags = {
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233) + b"\0\0"
    tags.update({name: curve for name in (b"rTRC", b"gTRC", b"bTRC")})
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"swap\0" + b"\0" * 79
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    offset, index, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        index += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + fixed(0.9642, 1.0, 0.8249)
    header += b"\0" * (128 - len(header))
    return header + struct.pack(">I", len(tags)) + index + body


SWAPPED_PROFILE = swapped_profile()


def run(jobs):
    request = json.load(sys.stdin)
    job, folder = request.pop("job"), Path(request.pop("folder"))
    json.dump(jobs[job](folder, **request), sys.stdout)


if __name__ == "__main__":
    run({"decode": decode, "resize": resize, "augment": augment})
