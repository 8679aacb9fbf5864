"""Writes data/models/open_clip.json from the model_configs of open_clip_torch (MIT): python scripts/open_clip_models.py

`models` has the configurations of the models that are a ResNet or ViT with CLIP's own text tower and tokeniser.
`refused` says why each other model cannot be built.
"""

import json
import pathlib
from importlib.metadata import files, version

VISION = {"width", "layers", "image_size", "patch_size", "head_width", "mlp_ratio", "ls_init_value"}
TEXT = {"width", "layers", "heads", "context_length", "vocab_size"}


def refusal(vision, text, config):
    if "multimodal_cfg" in config:
        return "a CoCa, whose text decoder is not supported"
    if "siglip" in vision.get("timm_model_name", "") or text.get("hf_tokenizer_name", "").startswith("timm/ViT"):
        return "a SigLIP, whose towers and tokeniser are not CLIP's"
    if "timm_model_name" in vision:
        return f"built on timm's {vision['timm_model_name']}, which is neither a ResNet nor a ViT of CLIP"
    if "hf_model_name" in text:
        return f"one whose text tower is {text['hf_model_name']}, not CLIP's"
    if "hf_tokenizer_name" in text:
        return f"one with the tokeniser of {text['hf_tokenizer_name']}, not CLIP's"
    return None


def converted(vision, text, config):
    assert (
        VISION >= set(vision)
        and TEXT >= set(text)
        and {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"} >= set(config)
    ), config
    resnet = isinstance(vision["layers"], list)
    width, head_width = vision["width"], vision.get("head_width", 64)
    attending = 32 * width if resnet else width
    result = {
        "embedDim": config["embed_dim"],
        "imageSize": vision["image_size"],
        "visionLayers": vision["layers"],
        "visionWidth": width,
        "visionPatchSize": None if resnet else vision["patch_size"],
        "contextLength": text["context_length"],
        "vocabularySize": text["vocab_size"],
        "textWidth": text["width"],
        "textHeads": text["heads"],
        "textLayers": text["layers"],
        "activation": "quick_gelu" if config.get("quick_gelu") else "gelu",
        "visionHeads": None if head_width == 64 else attending // head_width,
        "visionMlpRatio": vision.get("mlp_ratio"),
        "visionLayerScale": True if "ls_init_value" in vision else None,
    }
    return {key: value for key, value in result.items() if value is not None}


models, refused = {}, {}
for file in sorted(f for f in files("open_clip_torch") if f.parent.name == "model_configs" and f.suffix == ".json"):
    config = json.loads(pathlib.Path(file.locate()).read_text())
    vision, text = config["vision_cfg"], config["text_cfg"]
    reason = refusal(vision, text, config)
    if reason is None:
        models[file.stem] = converted(vision, text, config)
    else:
        refused[file.stem] = reason
lines = lambda entries: ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items())
target = pathlib.Path(__file__).parent.parent / "data/models/open_clip.json"
target.write_text(
    f'{{\n  "source": "open_clip_torch {version("open_clip_torch")}, model_configs (MIT)",\n'
    f'  "models": {{\n{lines(models)}\n  }},\n  "refused": {{\n{lines(refused)}\n  }}\n}}\n'
)
print(len(models), "models,", len(refused), "refused")
