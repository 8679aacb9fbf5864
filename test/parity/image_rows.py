"""The rows of the harness on images, by torchvision itself or the Python repository: files as images.py writes them."""

from PIL import Image

from images import photo, run, write_images


def preprocess(folder, sizes, target, against):
    """Every format in every size, through torchvision's own transforms or the Python repository's processor."""
    if against == "reference":
        import reference

        process = reference.bytes_of(target)
    else:
        from torchvision.transforms import CenterCrop, Compose, Resize
        from torchvision.transforms.functional import InterpolationMode

        transform = Compose([Resize(target, interpolation=InterpolationMode.BICUBIC), CenterCrop(target)])

        def process(image):
            return transform(image.convert("RGB")).tobytes()

    result = []
    for width, height in sizes:
        inner = folder / f"{width}x{height}"
        inner.mkdir()
        write_images(inner, width, height)
        for path in sorted(inner.iterdir()):
            expected = folder / f"{inner.name}_{path.name}.rgb"
            expected.write_bytes(process(Image.open(path)))
            result.append({"file": str(path), "expected": str(expected)})
    return result


def autoaugment(folder, sizes):
    """torchvision's own operations at each magnitude of its own table, with both signs; and its policies."""
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.autoaugment import AutoAugment, _apply_op

    augmenter, result = AutoAugment(), []
    for seed, (width, height) in enumerate(sizes):
        image, path = photo(width, height, seed), folder / f"{width}x{height}.png"
        image.save(path)
        for name, (bins, signed) in augmenter._augmentation_space(10, (height, width)).items():
            levels = bins.tolist() if bins.ndim > 0 else [0.0]
            levels += [-m for m in levels] if signed else []
            expected = folder / f"{path.stem}_{name}.rgb"
            expected.write_bytes(
                b"".join(_apply_op(image, name, m, InterpolationMode.NEAREST, None).tobytes() for m in levels)
            )
            result.append({"file": str(path), "name": name, "magnitudes": levels, "expected": str(expected)})
    return {"operations": result, "policies": augmenter.policies}


run({"preprocess": preprocess, "autoaugment": autoaugment})
