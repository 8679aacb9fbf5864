"""Prints the versions of what the rows compare with."""

import json
import platform
from importlib.metadata import version

packages = ("torch", "torchvision", "pillow", "ftfy", "regex", "nltk")
print(json.dumps({"Python": platform.python_version(), **{name: version(name) for name in packages}}))
