"""torchvision from PyPI beside a CPU build of torch has no operators of its own, but names some when it is imported.
Import this first."""

import re
from importlib.metadata import files

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    source = next(f for f in files("torchvision") if str(f) == "torchvision/_meta_registrations.py").read_text()
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in re.findall(r'register_fake\("torchvision::(\w+)"\)', source) + re.findall(
        r'@register_meta\("(\w+)"\)', source
    ):
        try:
            library.define(f"{name}() -> ()")
        except RuntimeError:
            pass
