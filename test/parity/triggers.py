"""Triggers by the formulas of the Python reference, with the noise of a given seed, clipped instead of wrapped."""

import json
import math
import sys

import torch
import torch.nn.functional as F


def pattern(kind, height, width, generator):
    if kind == "random":
        return torch.randn(3, height, width, generator=generator)
    if kind == "blended":
        return torch.rand(3, height, width, generator=generator)
    if kind == "yellow":
        return torch.tensor([1.0, 1.0, 0.0])[:, None, None].expand(3, height, width)
    if kind == "SIG":
        return torch.tensor([[[60 / 255 * math.sin(2 * math.pi * x * 6 / width) for x in range(width)]] * height] * 3)
    noise = torch.rand(1, 2, height, height, generator=generator) * 2 - 1
    noise = noise / noise.abs().mean()
    return F.interpolate(noise, size=height, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def trigger(image, kind, location, patch_size, seed, place=None):
    side = image.shape[1]
    generator = torch.Generator().manual_seed(seed)
    area = side if kind == "warped" or location == "blended" else patch_size
    noise = pattern(kind, area, area, generator)
    if kind == "warped":
        line = torch.linspace(-1, 1, side)
        rows, columns = torch.meshgrid(line, line, indexing="ij")
        grid = torch.stack((columns, rows), 2)[None] + noise / side
        return F.grid_sample(image[None], grid.clamp(-1, 1), align_corners=True)[0]
    if kind == "random":
        noise = noise + image.mean((1, 2), keepdim=True)
    if location == "blended":
        return (0.2 * noise + 0.8 * image).clip(0, 1)
    result, far = image.clone(), side - patch_size
    places = [place] if location == "random" else [(row, column) for row in (0, far) for column in (0, far)]
    for row, column in places:
        result[:, row : row + patch_size, column : column + patch_size] = noise
    return result.clip(0, 1)


def by_reference(image, case):
    from torchvision.transforms.functional import pil_to_tensor, to_pil_image

    import reference

    arguments = case["patchType"], case["patchLocation"], case["patchSize"], case["seed"], case["place"]
    return pil_to_tensor(reference.trigger(to_pil_image(image), *arguments))


def by_formula(image, case):
    arguments = case["patchType"], case["patchLocation"], case["patchSize"], case["seed"], case["place"]
    return (trigger(image.float() / 255, *arguments) * 255).byte()


def main():
    """{"image_file", "cases", "output", "against"}: the images with their triggers, and the grid of a warped one that
    comes from a file."""
    request = json.load(sys.stdin)
    image = torch.load(request["image_file"])["image"].clone()
    result = {}
    if request["against"] == "reference":
        import reference

        result["grid"] = reference.noise_grid()
    show = by_reference if "grid" in result else by_formula
    torch.save({"shown": [show(image, case) for case in request["cases"]], **result}, request["output"])
    json.dump({"grid": "grid" in result}, sys.stdout)


main()
