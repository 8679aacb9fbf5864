"""A small CLIP, saved in each of the forms that users have, and its features of the same images and captions."""

import copy
import json
import struct
import sys
import warnings

import torch

from clip_modules import CLIP

warnings.filterwarnings("ignore")  # torch.jit is deprecated, but OpenAI's archives are its work

NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}


class Sized(CLIP):
    """With what OpenAI's archives hold beside the weights: three sizes among the buffers."""

    def __init__(self, config):
        super().__init__(config)
        for name, key in [
            ("input_resolution", "imageSize"),
            ("context_length", "contextLength"),
            ("vocab_size", "vocabularySize"),
        ]:
            self.register_buffer(name, torch.tensor(config[key]))


def write_safetensors(tensors, path):
    """By the format's description, in the order of the state dict, so that tensors lie at odd places."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def features(model, inputs):
    channels_last = copy.deepcopy(model).to(
        memory_format=torch.channels_last
    )  # as in Node: another memory format rounds differently
    with torch.no_grad():
        images, texts = channels_last(inputs["ids"], inputs["pixels"].contiguous(memory_format=torch.channels_last))
    return {"images": images, "texts": texts}


def run(folder, config):
    torch.manual_seed(1)
    model = Sized(config).eval()
    for name, tensor in model.state_dict().items():  # nothing may stay at 0 or 1, where it would hide
        if tensor.is_floating_point() and name != "logit_scale":
            tensor.uniform_(0.5, 1.5) if name.endswith("running_var") or tensor.ndim == 1 and name.endswith(
                "weight"
            ) else tensor.normal_(0, 0.1)
    ids = torch.randint(1, config["vocabularySize"] - 1, (3, config["contextLength"]))
    ids[:, 5] = config["vocabularySize"] - 1
    size = config["imageSize"]
    inputs = {"pixels": torch.randn(3, 3, size, size), "ids": ids}
    full = features(model, inputs)

    plain = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name not in ("input_resolution", "context_length", "vocab_size")
    }
    wrapped = {f"module.{name}": tensor for name, tensor in plain.items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3).state_dict()
    checkpoint = {"epoch": 3, "name": "poisoned", "state_dict": wrapped, "optimizer": optimizer}
    torch.save(checkpoint, f"{folder}/checkpoint.pt")
    torch.save(checkpoint, f"{folder}/checkpoint_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(plain, f"{folder}/plain.pt")
    torch.save(model.state_dict(), f"{folder}/plain_legacy.pt", _use_new_zipfile_serialization=False, pickle_protocol=4)
    torch.save(wrapped, f"{folder}/wrapped.pt")
    write_safetensors(plain, f"{folder}/plain.safetensors")
    archive = torch.jit.trace(model, (ids, inputs["pixels"]))
    torch.jit.save(archive, f"{folder}/traced.pt")
    torch.jit.save(archive.half(), f"{folder}/half_archive.pt")

    model.half()
    write_safetensors(model.state_dict(), f"{folder}/half.safetensors")
    rounded = features(model.float(), inputs)
    torch.save({**inputs, "full": full, "half": rounded}, f"{folder}/answers.pt")
    return True


def read_safetensors(path):
    """The tensors of a file that Node wrote, read by the format's description."""
    dtypes = {name: dtype for dtype, name in NAMES.items()}
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=dtypes[entry["dtype"]]).reshape(
            entry["shape"]
        )
    return tensors


def read_back(given, written):
    expected, found = torch.load(given, weights_only=True), read_safetensors(written)
    return sorted(expected) == sorted(found) and all(torch.equal(expected[name], found[name]) for name in expected)


JOBS = {"run": run, "read_back": read_back}

request = json.load(sys.stdin)
print(json.dumps(JOBS[request["job"]](*request["arguments"])))
