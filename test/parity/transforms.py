"""The evaluation transforms of open_clip and of transformers' CLIPImageProcessor (PIL), as bytes and as a model's
numbers."""

from torchvision_stub import *  # noqa: F401, F403, before torchvision

import json
import sys
from pathlib import Path

import numpy as np

from images import photo

MEAN, STD = (0.5, 0.25, 0.75), (0.5, 0.3, 0.2)


def open_clip_transforms(target):
    """Of each resize mode and interpolation: its name, its configuration here, and the transform."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    for mode in ("shortest", "longest", "squash"):
        for interpolation in ("bicubic", "bilinear"):
            cfg = PreprocessCfg(
                size=target, mean=MEAN, std=STD, interpolation=interpolation, resize_mode=mode, fill_color=90
            )
            whole = image_transform_v2(cfg, is_train=False)
            config = {"resizeMode": mode, "interpolation": interpolation, "fillColor": 90}
            bytes_only = [t for t in whole.transforms if type(t).__name__ not in ("MaybeToTensor", "Normalize")]

            def as_bytes(image, steps=tuple(bytes_only)):
                for step in steps:
                    image = step(image)
                return np.asarray(image)

            yield f"open_clip {mode} {interpolation}", config, as_bytes, lambda image, whole=whole: whole(image).numpy()


def transformers_transforms(target):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    for resample, interpolation in ((3, "bicubic"), (2, "bilinear")):
        sizes = {
            "size": {"shortest_edge": target},
            "crop_size": {"height": target, "width": target},
            "resample": resample,
        }
        raw = CLIPImageProcessorPil(**sizes, do_rescale=False, do_normalize=False)
        whole = CLIPImageProcessorPil(**sizes, image_mean=list(MEAN), image_std=list(STD))

        def as_bytes(image, raw=raw):
            return np.asarray(raw(image)["pixel_values"][0]).transpose(1, 2, 0)

        config = {"resizeMode": "shortest", "interpolation": interpolation, "cropRounding": "down"}
        yield (
            f"transformers {interpolation}",
            config,
            as_bytes,
            lambda image, whole=whole: np.asarray(whole(image)["pixel_values"][0]),
        )


def transforms(folder, sizes, targets):
    result = []
    for width, height in sizes:
        image, file = photo(width, height), folder / f"{width}x{height}.png"
        image.save(file)
        for target in targets:
            for name, config, as_bytes, as_numbers in [*open_clip_transforms(target), *transformers_transforms(target)]:
                stem = folder / f"{file.stem}_{target}_{name.replace(' ', '_')}"
                try:
                    pixels = as_bytes(image)
                except ValueError:  # nothing is left of the short side
                    result.append(
                        {"name": name, "file": str(file), "target": target, "config": config, "refused": True}
                    )
                    continue
                stem.with_suffix(".rgb").write_bytes(np.ascontiguousarray(pixels, np.uint8).tobytes())
                stem.with_suffix(".f32").write_bytes(np.ascontiguousarray(as_numbers(image), "<f4").tobytes())
                config = {**config, "imageMean": MEAN, "imageStd": STD}
                result.append(
                    {"name": name, "file": str(file), "target": target, "config": config, "expected": str(stem)}
                )
    return result


request = json.load(sys.stdin)
json.dump(transforms(Path(request["folder"]), request["sizes"], request["targets"]), sys.stdout)
