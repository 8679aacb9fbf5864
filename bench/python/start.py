"""Measures new processes, from the command to its end."""

import subprocess
import sys
import time


def prepare(folder, side):
    def measure():
        return {"load": seconds_of("-c", "import torch; torch.zeros(1)"), "step": seconds_of("first_step.py", folder)}

    return measure


def seconds_of(*args):
    start = time.perf_counter()
    subprocess.run([sys.executable, *args], check=True, capture_output=True)
    return time.perf_counter() - start
