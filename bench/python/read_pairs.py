"""`python read_pairs.py <csv>` reads pairs, loads two batches, and prints the time to read and the peak memory."""

import json
import os
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "parity"))

import inputs
import pairs as data

start = time.perf_counter()
pairs = data.Pairs(sys.argv[1], 224, inmodal=False)
seconds = time.perf_counter() - start
for batch, _ in zip(data.loader(pairs, 128), range(2)):
    pass
print(json.dumps({"seconds": seconds, "bytes": inputs.peak_bytes()}))
