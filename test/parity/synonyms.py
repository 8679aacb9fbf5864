"""Reads {"dictionary": folder, "exceptions": folder, "words": [...]}; prints EDA's synonym set of each word by NLTK."""

import json
import os
import shutil
import string
import sys
import tempfile
import warnings

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader

LETTERS = set(string.ascii_lowercase + " ")


class EnglishWordNet(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """No map to WordNet 3.0: only other languages need it."""
        return None


def reader(dictionary, exceptions, root):
    nltk.data.path.append(root)  # NLTK reads nowhere else, and follows no links out of it
    for folder in (dictionary, exceptions):
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), root)
    with open(os.path.join(root, "lexnames"), "w") as file:  # names of lexicographer files; none is looked at
        file.writelines(f"{i:02d}\tfile{i}\t1\n" for i in range(45))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EnglishWordNet(root, None)


def synonyms(wordnet, word):
    names = {lemma.name() for synset in wordnet.synsets(word) for lemma in synset.lemmas()}
    spelled = {"".join(c for c in name.replace("_", " ").replace("-", " ").lower() if c in LETTERS) for name in names}
    return sorted(s for s in spelled if s.strip() and s != word)


def main():
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as root:
        wordnet = reader(request["dictionary"], request["exceptions"], root)
        find = lambda word: synonyms(wordnet, word)
        if request.get("against") == "reference":
            import reference

            theirs = reference.augmenter(wordnet)
            find = lambda word: sorted(name for name in theirs.get_synonyms(word) if name.strip())
        json.dump([find(word) for word in request["words"]], sys.stdout)


if __name__ == "__main__":
    main()
