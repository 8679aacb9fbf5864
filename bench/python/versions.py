"""Prints, as JSON, the folder of torch (a libtorch folder), and the versions that are compared."""

import json
import os
import platform
from importlib.metadata import version

import torch

packages = ("torch", "torchvision", "open_clip_torch", "pillow", "ftfy")
described = [f"Python {platform.python_version()}"] + [f"{name} {version(name)}" for name in packages]
print(json.dumps({"torch": os.path.dirname(torch.__file__), "versions": ", ".join(described)}))
