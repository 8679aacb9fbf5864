"""Measures reading a long csv and two batches, in a process of its own, so that its peak memory can be measured."""

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
