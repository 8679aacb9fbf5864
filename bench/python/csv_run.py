"""A run over many rows, in a process of its own for the sake of its peak memory: to read the csv, and two batches."""

import json
import os
import subprocess
import sys


def prepare(folder, rows, side):
    def measure():
        file = os.path.join(folder, f"pairs_{rows}.csv")
        done = subprocess.run([sys.executable, "read_pairs.py", file], check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    return measure
