"""The Python repository's own modules, imported from the checkout that CLEANCLIP_REFERENCE names, behind the
functions of the rows."""

import os
import random
import sys
import types
import warnings

ROOT = os.environ.get("CLEANCLIP_REFERENCE", "")


def open_checkout():
    """Its modules use wandb, which only reports, and read files beside them; nothing is written there."""
    sys.dont_write_bytecode = True
    sys.modules.setdefault("wandb", types.ModuleType("wandb"))
    sys.path.insert(0, ROOT)
    os.chdir(ROOT)
    warnings.simplefilter("ignore")


open_checkout()

import torch


class Clip:
    """The interface of clip_modules.CLIP around pkgs.openai.model.CLIP."""

    def __init__(self, config):
        from pkgs.openai.model import CLIP

        layers = config["visionLayers"]
        self.module = CLIP(
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

    def encode_image(self, pixels):
        return self.module.get_image_features(pixels)

    def encode_text(self, ids):
        return self.module.get_text_features(ids)

    def __call__(self, ids, pixels):
        output = self.module(input_ids=ids, attention_mask=None, pixel_values=pixels)
        return output.image_embeds, output.text_embeds


def options(**given):
    return types.SimpleNamespace(
        distributed=False, device="cpu", unlearn=False, wandb=False, asr=False, name="parity", **given
    )


def loss(model, images, texts, clip_weight, inmodal_weight):
    """Of embeddings [2N, D]: the batch, then its augmented views."""
    from src.train import get_loss

    outputs = types.SimpleNamespace(image_embeds=images, text_embeds=texts)
    weights = options(inmodal=True, clip_weight=clip_weight, inmodal_weight=inmodal_weight)
    return get_loss(model, outputs, torch.nn.CrossEntropyLoss(), weights, None)[0]


def rates(lr, warmup, batches, epochs):
    """As src.train calls it: epochs count from 1."""
    from src.scheduler import cosine_scheduler

    optimizer = types.SimpleNamespace(param_groups=[{}])
    schedule = cosine_scheduler(optimizer, lr, warmup, batches * epochs)
    result = []
    for step in (batches * epoch + index for epoch in range(1, epochs + 1) for index in range(batches)):
        schedule(step)
        result.append(float(optimizer.param_groups[0]["lr"]))
    return result


def processor(size):
    from pkgs.openai.clip import Processor

    return Processor(types.SimpleNamespace(visual=types.SimpleNamespace(input_resolution=size)))


def bytes_of(size):
    """Its processor on a PIL image, taken back to the bytes before normalising."""
    prepare = processor(size)
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in (prepare.transform.transforms[-1].mean, prepare.transform.transforms[-1].std)
    )
    return lambda image: (
        (prepare.process_image(image) * std + mean).mul(255).round().byte().permute(1, 2, 0).numpy().tobytes()
    )


def tokens(captions):
    return processor(224).process_text(captions)["input_ids"].tolist()


def noise_grid():
    """The displacement of its warped trigger, which lies in a file there."""
    return torch.load("backdoor/noise_grid_k=224_s=1_inputheight=224_gridrescale=1.pt", weights_only=True)


def trigger(image, kind, location, patch_size, seed, place):
    """On a PIL image, with the noise of a seed, at the place [row, column] where it is random."""
    from backdoor import utils

    places = iter(place)
    utils.random = types.SimpleNamespace(randint=lambda low, high: next(places))
    torch.manual_seed(seed)
    return utils.apply_trigger(image, patch_size, kind, location)


def augmenter(wordnet):
    """Its EDA over the WordNet that is given, with the default generator seeded."""
    import nltk.corpus

    nltk.corpus.wordnet = wordnet
    from utils import eda

    random.seed(1)
    return eda


def zeroshot(clip, folder, size, batch_size):
    """Counts of right answers among the top 1, 3, 5, 10 in a labelled folder."""
    from src.data import ImageLabelDataset
    from src.evaluate import get_zeroshot_metrics

    prepare = processor(size)
    dataset = ImageLabelDataset(folder, prepare.process_image, options(add_backdoor=False, backdoor_sufi=False))
    loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size)
    os.chdir(folder)  # where it appends to results.csv
    shares = get_zeroshot_metrics(clip.module, prepare, loader, options(eval_test_data_dir=folder))
    return {k: round(shares[f"zeroshot_top{k}"] * len(dataset)) for k in (1, 3, 5, 10)}
