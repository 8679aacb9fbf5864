"""CLIPs of open_clip and transformers, saved as these libraries save them, and the features that they compute:
{"job": "open_clip" | "hf", "folder", …}."""

import copy
import json
import pathlib
import sys
import types
import warnings

import torch
import torchvision_stub  # noqa: F401

warnings.filterwarnings("ignore")
BATCH = 3
END = 49407


def lively(model):
    """Nothing stays at 0 or 1, where it would hide."""
    for name, p in model.named_parameters():
        if name not in ("logit_scale", "logit_bias"):
            with torch.no_grad():
                p.uniform_(0.5, 1.5) if p.ndim == 1 else p.normal_(0, 1.5 * p.shape[-1] ** -0.5 if p.ndim == 2 else 0.1)
    return model.eval()


def inputs(size):
    ids = torch.zeros(BATCH, 77, dtype=torch.long)
    for row in range(BATCH):
        ids[row, : 6 + 7 * row] = torch.randint(300, 40000, (6 + 7 * row,))
        ids[row, 0], ids[row, 6 + 7 * row] = 49406, END
    return {"ids": ids, "pixels": torch.randn(BATCH, 3, size, size)}


def features(images, texts):
    return {"images": images, "texts": texts}


def open_clip(folder, models):
    """Each of `models`, {name: {"cfg", "custom"}}, as a folder of open_clip, beside it as a bare state dict, and the
    features in answers.pt."""
    from open_clip.model import CLIP, CustomTextCLIP
    from open_clip.push_to_hf_hub import save_for_hf
    from open_clip.transform import PreprocessCfg
    from open_clip.model import set_model_preprocess_cfg

    answers = {}
    for name, spec in models.items():
        torch.manual_seed(len(name))
        cfg = spec["cfg"] if isinstance(spec["cfg"], dict) else cut(spec["cfg"])
        kind = CustomTextCLIP if spec.get("custom") else CLIP
        model = lively(kind(**copy.deepcopy(cfg)))
        set_model_preprocess_cfg(model, vars(PreprocessCfg()) | spec.get("preprocess", {}))
        target = pathlib.Path(folder, name)
        save_for_hf(
            model,
            types.SimpleNamespace(save_pretrained=lambda _: None),
            cfg,
            target,
            safe_serialization=not spec.get("bin"),
        )
        torch.save({"epoch": 2, "name": name, "state_dict": model.state_dict()}, pathlib.Path(folder, f"{name}.pt"))
        if spec.get("whole"):
            torch.save(model, pathlib.Path(folder, f"{name}_whole.pt"))
        given = inputs(cfg["vision_cfg"].get("image_size", 224))
        with torch.no_grad():
            answers[name] = {**given, **features(model.encode_image(given["pixels"]), model.encode_text(given["ids"]))}
    torch.save(answers, f"{folder}/answers.pt")
    return sorted(answers)


def cut(name):
    """A configuration of open_clip with two layers in each transformer."""
    import open_clip as package

    cfg = package.get_model_config(name)
    cfg["text_cfg"]["layers"] = 2
    if isinstance(cfg["vision_cfg"]["layers"], int):
        cfg["vision_cfg"]["layers"] = 2
    return cfg


def hf(folder, models):
    """Each of `models`, {name: {"text", "vision", "projection_dim", "shards"}}, as a folder of transformers."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    answers = {}
    for name, spec in models.items():
        torch.manual_seed(len(name))
        config = CLIPConfig(
            text_config=spec["text"], vision_config=spec["vision"], projection_dim=spec["projection_dim"]
        )
        model = lively(CLIPModel(config))
        target = pathlib.Path(folder, name)
        if "hub" in spec:  # as the cache of the hub has it: links into blobs
            target = target / "snapshots" / spec["hub"]
        model.save_pretrained(target, **({"max_shard_size": spec["shards"]} if "shards" in spec else {}))
        size = spec["vision"]["image_size"]
        CLIPImageProcessor(
            size={"shortest_edge": size}, crop_size={"height": size, "width": size}, **spec.get("preprocess", {})
        ).save_pretrained(target)
        if "hub" in spec:
            link(target)
        given = inputs(size)
        with torch.no_grad():
            outputs = model(input_ids=given["ids"], pixel_values=given["pixels"])
        answers[name] = {**given, **features(outputs.image_embeds, outputs.text_embeds)}
    torch.save(answers, f"{folder}/answers.pt")
    return sorted(answers)


def link(snapshot):
    blobs, refs = (snapshot.parent.parent / name for name in ("blobs", "refs"))
    blobs.mkdir()
    refs.mkdir()
    for number, file in enumerate(sorted(snapshot.iterdir())):
        file.rename(blobs / str(number))
        file.symlink_to(f"../../blobs/{number}")
    (refs / "main").write_text(snapshot.name)


if __name__ == "__main__":
    request = json.load(sys.stdin)
    torch.set_num_threads(1)
    json.dump({"open_clip": open_clip, "hf": hf}[request["job"]](request["folder"], request["models"]), sys.stdout)
