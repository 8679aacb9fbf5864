"""Python's side of a measurement (see ../sides.mjs): reads {"module", "args"}, lets that module prepare, then measures
once for each further line."""

import importlib
import json
import os
import sys
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "test", "parity"))  # CLIP in modules, the tokeniser, WordNet
warnings.simplefilter("ignore")


def main():
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries may print, which would not be an answer
    measure = None
    for line in sys.stdin:
        message = json.loads(line)
        if measure is None:
            measure = importlib.import_module(message["module"]).prepare(**message["args"])
        answers.write(json.dumps(measure() if message == "measure" else {}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
