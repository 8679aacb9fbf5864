"""What other libraries make of converted models: the largest difference of their features from ours, and the ids of
their tokenisers."""

import json
import sys
import warnings

import torchvision_stub  # noqa: F401
import torch

warnings.filterwarnings("ignore")


def gap(ours, image, text):
    as_tensor = lambda x: torch.as_tensor(getattr(x, "pooler_output", x)).float()  # noqa: E731
    return max(
        (as_tensor(image) - ours["image"]).abs().max().item(), (as_tensor(text) - ours["text"]).abs().max().item()
    )


def state_dict(path, ours):
    """A state dict alone, read without trusting it: whether it is the given one to the bit."""
    read = torch.load(path, weights_only=True)
    assert type(read).__name__ == "OrderedDict" and all(isinstance(tensor, torch.Tensor) for tensor in read.values())
    return list(read) == list(ours["state"]) and all(
        torch.equal(read[name].float(), tensor.float()) for name, tensor in ours["state"].items()
    )


def open_clip(folder, ours):
    import open_clip

    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    cfg = model.visual.preprocess_cfg
    named = [
        model.transformer.resblocks[0].mlp.gelu.__class__.__name__,
        cfg["interpolation"],
        cfg["resize_mode"],
        list(cfg["mean"]),
        list(cfg["std"]),
    ]
    with torch.no_grad():
        return {
            "gap": gap(ours, model.eval().encode_image(ours["pixels"]), model.encode_text(ours["ids"])),
            "named": named,
        }


def hf(folder, ours):
    from transformers import AutoProcessor, AutoTokenizer, CLIPModel, CLIPProcessor, CLIPTokenizer

    model = CLIPModel.from_pretrained(folder).eval()
    with torch.no_grad():
        image, text = (
            model.get_image_features(pixel_values=ours["pixels"].to(model.dtype)),
            model.get_text_features(input_ids=ours["ids"]),
        )
    ids = [
        tokenizer.from_pretrained(folder)(
            texts(), padding="max_length", truncation=True, max_length=model.config.text_config.max_position_embeddings
        )["input_ids"]
        for tokenizer in (CLIPTokenizer, AutoTokenizer)
    ]
    assert ids[0] == ids[1]
    CLIPProcessor.from_pretrained(folder)
    processor = AutoProcessor.from_pretrained(folder).image_processor
    size = {side: length for side, length in dict(processor.size).items() if length}
    return {
        "gap": gap(ours, image, text),
        "ids": ids[0],
        "dtype": str(model.dtype),
        "named": [int(processor.resample), size, list(processor.image_mean), list(processor.image_std)],
    }


def onnx(folder, ours):
    from onnx import checker
    from onnxruntime import InferenceSession

    for tower in ("image", "text"):
        checker.check_model(f"{folder}/{tower}.onnx", full_check=True)
    run = lambda tower, given: InferenceSession(f"{folder}/{tower}.onnx").run(None, given)[0]  # noqa: E731
    return {
        "gap": gap(
            ours,
            run("image", {"pixel_values": ours["pixels"].numpy()}),
            run("text", {"input_ids": ours["ids"].numpy()}),
        )
    }


def texts():
    return REQUEST["texts"]


REQUEST = json.load(sys.stdin)
ANSWERS = torch.load(REQUEST["answers"], weights_only=True)
print(json.dumps([globals()[job](path, ANSWERS) for job, path in REQUEST["jobs"]]))
