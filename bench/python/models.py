"""Makes the model of a measurement: of plain modules, of the CleanCLIP repository (with CLEANCLIP_REFERENCE), or of
open_clip."""

import json
import os
import sys

import torch

# Without bf16 instructions, open_clip's amp_bf16 takes minutes per step.
BF16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
OPEN_CLIP_NAMES = {"RN50": "RN50-quickgelu", "ViT-B/32": "ViT-B-32-quickgelu"}


def load(folder, model, side):
    """Returns the model and its configuration. The weights are those that Node wrote; open_clip's model has
    weights of its own, in amp_bf16 or fp32."""
    file = os.path.join(folder, model.replace("/", "-") + ".pt")
    with open(file + ".json") as opened:
        config = json.load(opened)
    if side == "open_clip":
        return open_clip_model(model, config, "amp_bf16" if BF16 else "fp32"), config
    clip = referenced(config) if "CLEANCLIP_REFERENCE" in os.environ else plain(config)
    clip.load_state_dict(torch.load(file)["state_dict"])
    return clip, config


def plain(config):
    from clip_modules import CLIP

    return CLIP(config)


def referenced(config):
    sys.path.insert(0, os.environ["CLEANCLIP_REFERENCE"])
    from pkgs.openai.model import CLIP

    class Referenced(CLIP):
        def forward(self, ids, pixels):
            output = super().forward(input_ids=ids, attention_mask=None, pixel_values=pixels)
            return output.image_embeds, output.text_embeds

        def encode_image(self, pixels):
            return self.get_image_features(pixels)

        def encode_text(self, ids):
            return self.get_text_features(ids)

    layers = config["visionLayers"]
    return Referenced(
        config["embedDim"],
        config["imageSize"],
        tuple(layers) if isinstance(layers, list) else layers,
        config["visionWidth"],
        config.get("visionPatchSize"),
        config["contextLength"],
        config["vocabularySize"],
        config["textWidth"],
        config["textHeads"],
        config["textLayers"],
    )


def open_clip_model(model, config, precision):
    import open_clip

    if model in OPEN_CLIP_NAMES:
        return open_clip.create_model(OPEN_CLIP_NAMES[model], precision=precision)
    vision = {
        "image_size": config["imageSize"],
        "layers": config["visionLayers"],
        "width": config["visionWidth"],
        "head_width": 64,
    }
    text = {
        "context_length": 77,
        "vocab_size": config["vocabularySize"],
        "width": config["textWidth"],
        "heads": config["textHeads"],
        "layers": config["textLayers"],
    }
    return open_clip.CLIP(config["embedDim"], vision, text, quick_gelu=True)


def parameter_groups(clip):
    """Returns AdamW's groups: there is no weight decay for norms, biases and the logit scale."""
    exempt = lambda name: any(part in name for part in ("bn", "ln", "bias", "logit_scale"))
    named = list(clip.named_parameters())
    return [
        {"params": [parameter for name, parameter in named if exempt(name)], "weight_decay": 0},
        {"params": [parameter for name, parameter in named if not exempt(name)], "weight_decay": 0.1},
    ]
