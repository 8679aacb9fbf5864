"""Image files of many kinds, whole, cut and damaged, and what PIL makes of each: pixels, or its refusal."""

import io
import random
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageFile

from images import run

ImageFile.LOAD_TRUNCATED_IMAGES = True
warnings.simplefilter("ignore")

WIDTH, HEIGHT = 37, 22
rng = np.random.default_rng(11)


def photo(width=WIDTH, height=HEIGHT, seed=0):
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([40 + 180 * x / width, 30 + 200 * y / height, 128 + 90 * np.sin(x / 5 + y / 7)], -1)
    return np.clip(picture + np.random.default_rng(seed).normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


RGB = photo()
GREY = RGB[..., 1].copy()
ALPHA = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def packed(values, bits):
    """Rows of samples of fewer than 8 bits, the first in the highest ones."""
    rows = np.unpackbits(values.reshape(values.shape[0], -1, 1).astype(np.uint8), axis=-1)[..., 8 - bits :].reshape(
        values.shape[0], -1
    )
    return np.packbits(rows, axis=-1)


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


# TIFF

SIZES = {1: "B", 3: "H", 4: "I"}


def tiff(entries, chunks, order="<", tiled=False):
    """A TIFF of one directory; `entries` are (tag, type, values), `chunks` its strips or tiles."""
    where, lengths = (324, 325) if tiled else (273, 279)
    entries = sorted([*entries, (where, 4, [0] * len(chunks)), (lengths, 4, [len(chunk) for chunk in chunks])])
    behind = 8 + 2 + 12 * len(entries) + 4
    extra_size = sum(
        len(values) * struct.calcsize(SIZES[kind])
        for _, kind, values in entries
        if len(values) * struct.calcsize(SIZES[kind]) > 4
    )
    at = behind + extra_size
    offsets = []
    for chunk in chunks:
        offsets.append(at)
        at += len(chunk)
    directory, extra = b"", b""
    for tag, kind, values in entries:
        raw = struct.pack(order + SIZES[kind] * len(values), *(offsets if tag == where else values))
        if len(raw) > 4:
            field = struct.pack(order + "I", behind + len(extra))
            extra += raw
        else:
            field = raw.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return head + directory + struct.pack(order + "I", 0) + extra + b"".join(chunks)


def tiff_of(
    samples, bits, photometric, order="<", rows=7, tile=None, packing=None, planar=False, predictor=False, more=()
):
    """samples: [height, width, count], of whole bytes in any type, or of fewer bits."""
    if samples.ndim == 2:
        samples = samples[..., None]
    height, width, count = samples.shape
    if samples.dtype.itemsize > 1:
        samples = samples.astype(samples.dtype.newbyteorder(order))
    compression = {None: 1, "deflate": 8, "old deflate": 32946, "packbits": 32773}[packing]

    def pack(part):
        if predictor:
            part = np.concatenate([part[:, :1], part[:, 1:] - part[:, :-1]], 1).astype(part.dtype)
        raw = (packed(part, bits) if bits < 8 else part).tobytes()
        if packing is None:
            return raw
        if packing == "packbits":
            stride = len(raw) // part.shape[0]
            lines = [raw[i : i + stride] for i in range(0, len(raw), stride)]
            return b"".join(
                bytes([len(piece) - 1]) + piece
                for line in lines
                for piece in [line[k : k + 128] for k in range(0, len(line), 128)]
            )
        return zlib.compress(raw)

    layers = [samples[..., c : c + 1] for c in range(count)] if planar else [samples]
    chunks = []
    for layer in layers:
        if tile:
            for y in range(0, height, tile):
                for x in range(0, width, tile):
                    part = np.zeros((tile, tile, layer.shape[2]), layer.dtype)
                    piece = layer[y : y + tile, x : x + tile]
                    part[: piece.shape[0], : piece.shape[1]] = piece
                    chunks.append(pack(part))
        else:
            chunks += [pack(layer[y : y + rows]) for y in range(0, height, rows)]
    size = [(322, 4, [tile]), (323, 4, [tile])] if tile else [(278, 4, [rows])]
    entries = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * count),
        (259, 3, [compression]),
        (262, 3, [photometric]),
        (277, 3, [count]),
        *size,
    ]
    if planar:
        entries.append((284, 3, [2]))
    if predictor:
        entries.append((317, 3, [2]))
    return tiff([*entries, *more], chunks, order, bool(tile))


def tiffs():
    palette = [(320, 3, [int(v) for v in rng.integers(0, 65536, 3 * 256)])]
    rgba = np.dstack([RGB, ALPHA])
    cmyk = np.dstack([RGB, ALPHA // 2])
    wide = lambda a: a.astype(np.uint16) * 256 + 77
    yield "rgb", tiff_of(RGB, 8, 2)
    yield "rgb_one_strip", tiff_of(RGB, 8, 2, rows=HEIGHT)
    for order, name in (("<", "ii"), (">", "mm")):
        yield f"rgb16_{name}", tiff_of(wide(RGB), 16, 2, order)
        yield f"grey16_{name}", tiff_of(GREY.astype(np.uint16) * 3, 16, 1, order)
        yield f"grey16_signed_{name}", tiff_of(GREY.astype(np.int16) * 3 - 200, 16, 1, order, more=[(339, 3, [2])])
        yield f"grey32_signed_{name}", tiff_of(GREY.astype(np.int32) * 3 - 200, 32, 1, order, more=[(339, 3, [2])])
        yield f"grey_float_{name}", tiff_of(GREY.astype(np.float32) * 2.1 - 100, 32, 1, order, more=[(339, 3, [3])])
        yield f"cmyk16_{name}", tiff_of(wide(cmyk), 16, 5, order)
        yield f"rgba16_{name}", tiff_of(wide(rgba), 16, 2, order, more=[(338, 3, [2])])
        yield f"rgb16_deflate_{name}", tiff_of(wide(RGB), 16, 2, order, packing="deflate", predictor=True)
        yield (
            f"grey16_deflate_{name}",
            tiff_of(GREY.astype(np.uint16) * 3, 16, 1, order, packing="deflate", predictor=True),
        )
    yield "grey32_unsigned", tiff_of(GREY.astype(np.uint32) * 3, 32, 1)
    yield "grey32_unsigned_mm", tiff_of(GREY.astype(np.uint32) * 3, 32, 1, ">")
    yield "grey_white_is_0_16", tiff_of(GREY.astype(np.uint16) * 3, 16, 0)
    yield "grey8_signed", tiff_of(GREY, 8, 1, more=[(339, 3, [2])])
    for photometric in (0, 1, 3):
        for bits in (1, 2, 4, 8):
            more = [(320, 3, palette[0][2][: 3 * 2**bits])] if photometric == 3 else []
            for packing in (None, "deflate", "packbits"):
                yield (
                    f"bits{bits}_photometric{photometric}_{packing}",
                    tiff_of(GREY >> (8 - bits), bits, photometric, packing=packing, more=more),
                )
            yield (
                f"bits{bits}_photometric{photometric}_tiles",
                tiff_of(GREY >> (8 - bits), bits, photometric, tile=16, more=more),
            )
            yield (
                f"bits{bits}_photometric{photometric}_reversed",
                tiff_of(GREY >> (8 - bits), bits, photometric, more=[*more, (266, 3, [2])]),
            )
    for extra in (None, 0, 1, 2, 999):
        more = [] if extra is None else [(338, 3, [extra])]
        yield f"rgba_{extra}", tiff_of(rgba, 8, 2, more=more)
        yield f"rgba_deflate_{extra}", tiff_of(rgba, 8, 2, packing="deflate", more=more)
        yield f"rgba16_{extra}", tiff_of(wide(rgba), 16, 2, more=more)
    for extra in (0, 1, 2):
        yield f"grey_alpha_{extra}", tiff_of(np.dstack([GREY, ALPHA]), 8, 1, more=[(338, 3, [extra])])
        yield f"palette_alpha_{extra}", tiff_of(np.dstack([GREY, ALPHA]), 8, 3, more=[*palette, (338, 3, [extra])])
    for extra in ([0, 0], [1, 0], [2, 0], [0, 2]):
        yield f"rgb_extra_{extra[0]}{extra[1]}", tiff_of(np.dstack([rgba, ALPHA]), 8, 2, more=[(338, 3, extra)])
    yield "cmyk", tiff_of(cmyk, 8, 5)
    yield "cmyk_deflate", tiff_of(cmyk, 8, 5, packing="deflate", predictor=True)
    yield "cmyk_extra", tiff_of(np.dstack([cmyk, ALPHA]), 8, 5, more=[(338, 3, [0])])
    yield "ycbcr", tiff_of(RGB, 8, 6, more=[(530, 3, [1, 1])])
    yield "ycbcr_subsampled", tiff_of(RGB, 8, 6, more=[(530, 3, [2, 2])])
    yield "ycbcr_deflate", tiff_of(RGB, 8, 6, packing="deflate", more=[(530, 3, [1, 1])])
    yield "lab", tiff_of(RGB, 8, 8)
    for packing in (None, "deflate", "old deflate", "packbits"):
        yield f"tiles_{packing}", tiff_of(RGB, 8, 2, tile=16, packing=packing)
        yield f"planar_{packing}", tiff_of(RGB, 8, 2, planar=True, packing=packing)
        yield f"planar_tiles_{packing}", tiff_of(RGB, 8, 2, planar=True, tile=16, packing=packing)
        yield f"planar_rgba_{packing}", tiff_of(rgba, 8, 2, planar=True, packing=packing, more=[(338, 3, [2])])
        yield f"planar_rgbx_{packing}", tiff_of(rgba, 8, 2, planar=True, packing=packing, more=[(338, 3, [0])])
        yield f"planar_cmyk_{packing}", tiff_of(cmyk, 8, 5, planar=True, packing=packing)
        yield f"planar_rgb16_{packing}", tiff_of(wide(RGB), 16, 2, planar=True, packing=packing)
    yield "predictor", tiff_of(RGB, 8, 2, packing="deflate", predictor=True)
    yield "predictor_tiles", tiff_of(RGB, 8, 2, packing="deflate", predictor=True, tile=16)
    yield "predictor_planar", tiff_of(RGB, 8, 2, packing="deflate", predictor=True, planar=True)
    yield (
        "predictor_grey32",
        tiff_of(GREY.astype(np.int32) * 3, 32, 1, packing="deflate", predictor=True, more=[(339, 3, [2])]),
    )
    image = Image.fromarray(RGB)
    for options in ({}, {"tiffinfo": {317: 2}}, {"tiffinfo": {274: 6}}):
        for mode in ("RGB", "L", "1", "CMYK", "RGBA", "P"):
            if mode != "1" or 317 not in options.get("tiffinfo", {}):
                yield (
                    f"lzw_{mode}_{len(options)}{options.get('tiffinfo', {})}".replace(" ", ""),
                    saved(image.convert(mode), "TIFF", compression="tiff_lzw", **options),
                )
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield compression, saved(image.convert("1"), "TIFF", compression=compression)
        yield f"{compression}_turned", saved(image.convert("1"), "TIFF", compression=compression, tiffinfo={274: 8})
    yield "jpeg", saved(image, "TIFF", compression="jpeg")
    yield "jpeg_grey", saved(image.convert("L"), "TIFF", compression="jpeg")
    yield "jpeg_cmyk", saved(image.convert("CMYK"), "TIFF", compression="jpeg")
    yield "big_lzw", saved(Image.fromarray(photo(300, 200)), "TIFF", compression="tiff_lzw")
    yield "bigtiff", saved(image, "TIFF", big_tiff=True)
    for orientation in range(1, 10):
        yield f"turned_{orientation}", tiff_of(RGB, 8, 2, more=[(274, 3, [orientation])])
        yield f"turned_tiles_{orientation}", tiff_of(GREY, 8, 1, tile=16, more=[(274, 3, [orientation])])
        yield f"turned_mapped_{orientation}", tiff_of(GREY, 8, 1, rows=HEIGHT, more=[(274, 3, [orientation])])


# PNG


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(raw, step):
    """Rows under each of PNG's five filters by turns."""
    above = np.zeros(raw.shape[1], np.uint8)
    result = b""
    for y, row in enumerate(raw):
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]])[: len(row)]
        corner = np.concatenate([np.zeros(step, np.uint8), above[:-step]])[: len(row)]
        a, b, c = (v.astype(int) for v in (left, above, corner))
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        guess = [0 * a, a, b, (a + b) // 2, paeth][y % 5]
        result += bytes([y % 5]) + ((row.astype(int) - guess) % 256).astype(np.uint8).tobytes()
        above = row
    return result


def png(samples, depth, colour, interlaced=False, before=b"", pieces=1):
    if samples.ndim == 2:
        samples = samples[..., None]
    height, width, count = samples.shape

    def rows(part):
        if depth == 16:
            return np.frombuffer(part.astype(">u2").tobytes(), np.uint8).reshape(part.shape[0], -1)
        return packed(part, depth) if depth < 8 else part.reshape(part.shape[0], -1).astype(np.uint8)

    step = max(1, depth * count // 8)
    passes = (
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        if interlaced
        else [(0, 0, 1, 1)]
    )
    raw = b"".join(
        filtered(rows(samples[y::down, x::right]), step)
        for x, y, right, down in passes
        if samples[y::down, x::right].size
    )
    data = zlib.compress(raw, 6)
    size = -(-len(data) // pieces)
    parts = b"".join(chunk(b"IDAT", data[i : i + size]) for i in range(0, len(data), size))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + parts + chunk(b"IEND", b"")


def pngs():
    wide = lambda a: a.astype(np.uint16) * 256 + 77
    palette = chunk(b"PLTE", rng.integers(0, 256, 3 * 256, dtype=np.uint8).tobytes())
    kinds = [
        (RGB, 8, 2, b""),
        (wide(RGB), 16, 2, b""),
        (np.dstack([RGB, ALPHA]), 8, 6, b""),
        (wide(np.dstack([RGB, ALPHA])), 16, 6, b""),
        (np.dstack([GREY, ALPHA]), 8, 4, b""),
        (wide(np.dstack([GREY, ALPHA])), 16, 4, b""),
        (GREY.astype(np.uint16) * 3, 16, 0, b""),
    ]
    for depth in (1, 2, 4, 8):
        kinds += [
            (GREY >> (8 - depth), depth, 0, b""),
            (GREY >> (8 - depth), depth, 3, palette[:0] + chunk(b"PLTE", palette[8 : 8 + 3 * 2**depth])),
        ]
    for samples, depth, colour, before in kinds:
        for interlaced in (False, True):
            name = f"colour{colour}_depth{depth}" + "_interlaced" * interlaced
            yield name, png(samples, depth, colour, interlaced, before)
    yield "palette_short", png(GREY >> 4, 4, 3, False, chunk(b"PLTE", palette[8:32]))
    yield "palette_none", png(GREY >> 4, 4, 3)
    yield "many_pieces", png(RGB, 8, 2, pieces=9)
    yield "key_grey16", png(GREY.astype(np.uint16) * 3, 16, 0, before=chunk(b"tRNS", b"\0\7"))
    yield "key_rgb", png(RGB, 8, 2, before=chunk(b"tRNS", b"\0\7\0\7\0\7"))
    yield "tiny", png(RGB[:1, :1], 8, 2, True)
    yield "narrow_interlaced", png(RGB[:, :3], 8, 2, True)


# the others


def gifs():
    image = Image.fromarray(RGB)
    for colours in (2, 7, 64, 256):
        yield f"colours{colours}", saved(image.quantize(colours), "GIF")
        yield f"colours{colours}_plain_rows", saved(image.quantize(colours), "GIF", interlace=0)
    yield "grey", saved(image.convert("L"), "GIF")
    yield "clear", saved(image.quantize(16), "GIF", transparency=3)
    yield (
        "moving",
        saved(image.quantize(16), "GIF", save_all=True, append_images=[Image.fromarray(photo(seed=4)).quantize(16)]),
    )
    yield "large", saved(Image.fromarray(photo(300, 200)).quantize(256), "GIF")


def bmp(samples, bits, header=40, compression=0, masks=(), above=False, colours=None):
    height, width = samples.shape[:2]
    rows = packed(samples, bits) if bits < 8 else np.frombuffer(samples.tobytes(), np.uint8).reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    data = (rows if above else rows[::-1]).tobytes()
    palette = b"" if colours is None else colours
    behind = b"".join(struct.pack("<I", mask) for mask in masks)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack(
            "<IiiHHIIiiII",
            header,
            width,
            -height if above else height,
            1,
            bits,
            compression,
            len(data),
            2835,
            2835,
            0 if colours is None else len(colours) // 4,
            0,
        )
        info = (info + behind).ljust(header, b"\0") if header > 40 else info + behind
    at = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at) + info + palette + data


def bmps():
    colours = rng.integers(0, 256, (256, 4), dtype=np.uint8).tobytes()
    bgr, bgrx = RGB[..., ::-1], np.dstack([RGB[..., ::-1], ALPHA])
    word = rng.integers(0, 65536, (HEIGHT, WIDTH)).astype("<u2")
    for bits in (1, 4, 8):
        yield f"bits{bits}", bmp(GREY >> (8 - bits), bits, colours=colours[: 4 * 2**bits])
        yield f"bits{bits}_short", bmp((GREY >> (8 - bits)) % 2, bits, colours=colours[:8])
    yield "old", bmp(np.ascontiguousarray(bgr), 24, 12)
    yield "bits24", bmp(np.ascontiguousarray(bgr), 24)
    yield "bits24_above", bmp(np.ascontiguousarray(bgr), 24, above=True)
    yield "bits32", bmp(np.ascontiguousarray(bgrx), 32)
    yield "bits16", bmp(word, 16)
    for header in (40, 52, 56, 108, 124):
        yield f"fields565_{header}", bmp(word, 16, header, 3, (0xF800, 0x7E0, 0x1F))
        yield f"fields555_{header}", bmp(word, 16, header, 3, (0x7C00, 0x3E0, 0x1F))
        yield (
            f"fields32_{header}",
            bmp(
                np.ascontiguousarray(bgrx),
                32,
                header,
                3,
                (0xFF0000, 0xFF00, 0xFF, 0xFF000000)[: 3 if header < 56 else 4],
            ),
        )
        yield f"fields_odd_{header}", bmp(word, 16, header, 3, (0xF000, 0xF00, 0xF0))
    for mask in [
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
        (0, 0, 0, 0),
    ]:
        yield f"fields32_{mask[0]:x}_{mask[1]:x}_{mask[3]:x}", bmp(np.ascontiguousarray(bgrx), 32, 56, 3, mask)

    def lengths(bits, codes):
        info = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, bits, 1 if bits == 8 else 2, len(codes), 0, 0, 2**bits, 0)
        at = 54 + 4 * 2**bits
        return b"BM" + struct.pack("<IHHI", at + len(codes), 0, 0, at) + info + colours[: 4 * 2**bits] + codes

    yield "rle8", lengths(8, bytes([8, 1, 0, 0, 3, 7, 5, 9, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 3, 6, 0, 0, 8, 200, 0, 1]))
    yield "rle8_delta", lengths(8, bytes([4, 1, 0, 2, 4, 1, 4, 9, 0, 0, 8, 3, 8, 4, 0, 1]))
    yield "rle8_short", lengths(8, bytes([8, 1, 0, 0, 0, 1]))
    yield "rle8_long_row", lengths(8, bytes([12, 1, 0, 0, 8, 2, 0, 0, 8, 3, 0, 0, 8, 4, 0, 1]))
    yield (
        "rle4",
        lengths(
            4, bytes([8, 0x12, 0, 0, 3, 0x45, 5, 0x67, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 3, 0x99, 0, 0, 8, 0xA0, 0, 1])
        ),
    )


def pnms():
    size = f"{WIDTH} {HEIGHT}".encode()
    yield "p1", b"P1\n# bits\n" + size + b"\n" + b"\n".join(bytes(48 + v for v in row) for row in GREY >> 7)
    yield "p4", b"P4\n" + size + b"\n" + packed(GREY >> 7, 1).tobytes()
    for greatest in (1, 15, 100, 255, 256, 1000, 65535):
        for kind, samples in ((2, GREY), (3, RGB)):
            values = samples.astype(np.int64) * greatest // 255
            yield (
                f"p{kind}_{greatest}",
                b"P%d\n%s\n%d\n" % (kind, size, greatest)
                + b" # a comment\n".join(b" ".join(b"%d" % v for v in row.reshape(-1)) for row in values),
            )
            raw = values.astype(">u2" if greatest > 255 else np.uint8).tobytes()
            yield f"p{kind + 3}_{greatest}", b"P%d %s # wide\n%d\n" % (kind + 3, size, greatest) + raw
    for scale, order in ((b"-1.0", "<f4"), (b"2.5", ">f4")):
        yield (
            f"pf_{scale.decode()}",
            b"Pf\n" + size + b"\n" + scale + b"\n" + (GREY.astype(order) * 2 - 100).astype(order).tobytes(),
        )
    yield "beyond", b"P5\n2 1\n100\n\x64\xc8"
    yield "plain_beyond", b"P2\n2 1\n100\n100 101"
    yield "plain_sign", b"P2\n2 1\n100\n100 -1"
    yield "plain_few", b"P2\n2 1\n100\n100"


def jpegs():
    image = Image.fromarray(photo(150, 90))
    for name, converted, options in [
        ("420", image, {}),
        ("444", image, {"subsampling": 0}),
        ("progressive", image, {"progressive": True}),
        ("grey", image.convert("L"), {}),
        ("cmyk", image.convert("CMYK"), {}),
        ("rgb", image, {"keep_rgb": True}),
        ("restart", image, {"restart_marker_blocks": 3}),
    ]:
        yield name, saved(converted, "JPEG", quality=88, **options)


def webps():
    image = Image.fromarray(RGB)
    yield "lossy", saved(image, "WEBP", quality=80)
    yield "lossless", saved(image, "WEBP", lossless=True)
    yield "alpha", saved(Image.fromarray(np.dstack([RGB, ALPHA])), "WEBP", lossless=True, exact=True)


def avifs():
    image = Image.fromarray(photo(64, 48))
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[274] = orientation
        yield f"turned{orientation}", saved(image, "AVIF", quality=90, subsampling="4:4:4", exif=exif)
    yield "grey", saved(image.convert("L"), "AVIF", quality=90)


KINDS = {"tif": tiffs, "png": pngs, "gif": gifs, "bmp": bmps, "pnm": pnms, "jpg": jpegs, "webp": webps, "avif": avifs}


def damaged(name, data, draw):
    """The file cut, and with bytes changed."""
    for share in (0.2, 0.55, 0.9):
        yield f"{name}_cut{share}", data[: int(len(data) * share)]
    for number in range(3):
        changed = bytearray(data)
        for _ in range(1 + number):
            changed[draw.randrange(len(data) // 3, len(data))] = draw.randrange(256)
        yield f"{name}_changed{number}", bytes(changed)


def odd(folder, kind, damage):
    """Every file of a kind, or with `damage` what becomes of them; `expected` is null where PIL refuses."""
    result = []
    draw = random.Random(5)
    for name, data in KINDS[kind]():
        for each, content in damaged(name, data, draw) if damage else [(name, data)]:
            file = folder / f"{each}.{kind}"
            file.write_bytes(content)
            row = {"file": str(file), "name": each, "expected": None}
            try:
                image = Image.open(file).convert("RGB")
                expected = folder / f"{each}.{kind}.rgb"
                expected.write_bytes(image.tobytes())
                row |= {"expected": str(expected), "width": image.width, "height": image.height}
            except Exception:  # PIL refuses with errors of many classes
                pass
            result.append(row)
    return result


if __name__ == "__main__":
    run({"odd": odd})
