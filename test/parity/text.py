"""Reads {"captions": [...], "context_length": n, "end_last"?, "against"?}; prints the texts, cleaned, and token ids
of the Python stack."""

import gzip
import html
import json
import os
import sys

import ftfy
import regex

FOLDER = os.path.dirname(os.path.abspath(__file__))
PIECES = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)


def clean(caption):
    mended = html.unescape(html.unescape(ftfy.fix_text(caption)))
    return regex.sub(r"\s+", " ", mended.strip()).strip().lower()


class Bpe:
    def __init__(self):
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = sorted(set(range(256)) - set(printable))
        self.stand_in = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(hidden)}
        symbols = list(self.stand_in.values())
        symbols += [s + "</w>" for s in symbols]
        with gzip.open(os.path.join(FOLDER, "../../data/bpe_simple_vocab_16e6.txt.gz"), "rt", encoding="utf-8") as file:
            merges = [tuple(line.split()) for line in file.read().split("\n")[1 : 49152 - 256 - 2 + 1]]
        symbols += ["".join(merge) for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
        self.ids = {symbol: i for i, symbol in enumerate(symbols)}
        self.rank = {merge: i for i, merge in enumerate(merges)}
        self.words = {}

    def word(self, piece):
        if piece in ("<|startoftext|>", "<|endoftext|>"):
            return [self.ids[piece]]
        parts = [self.stand_in[b] for b in piece.encode("utf-8")]
        parts[-1] += "</w>"
        while len(parts) > 1:
            rank, at = min((self.rank.get(pair, len(self.rank)), i) for i, pair in enumerate(zip(parts, parts[1:])))
            if rank == len(self.rank):
                break
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        return [self.ids[part] for part in parts]

    def encode(self, text):
        ids = []
        for piece in PIECES.findall(text):
            if piece not in self.words:
                self.words[piece] = self.word(piece)
            ids += self.words[piece]
        return ids


def rows_of(texts, length, end_last):
    """Start, text, end, zeros; what is too long is cut, and may have the end token put last."""
    bpe = Bpe()
    for text in texts:
        row = [49406, *bpe.encode(text), 49407]
        if len(row) > length and end_last:
            row[length - 1] = 49407
        yield row[:length] + [0] * (length - len(row))


def main():
    request = json.load(sys.stdin)
    if request.get("against") == "reference":
        import reference

        return json.dump({"ids": reference.tokens(request["captions"])}, sys.stdout)
    texts = [clean(caption) for caption in request["captions"]]
    rows = rows_of(texts, request["context_length"], request.get("end_last", False))
    json.dump({"texts": texts, "ids": list(rows)}, sys.stdout)


if __name__ == "__main__":
    main()
