"""Easy data augmentation (Wei & Zou 2019) as its paper has it, over NLTK's WordNet: {"captions", "draws", "wordnet",
"against"} -> draws."""

import json
import random
import sys
import tempfile

import synonyms

STOP_WORDS = {"is"}  # of the captions


def synonym_replacement(words, count, known):
    candidates = [word for word in dict.fromkeys(words) if word not in STOP_WORDS and known(word)]
    chosen = {word: random.choice(known(word)) for word in random.sample(candidates, min(count, len(candidates)))}
    return [chosen.get(word, word) for word in words]


def random_insertion(words, count, known):
    words = list(words)
    for _ in range(count):
        choices = next((found for found in (known(random.choice(words)) for _ in range(10)) if found), None)
        if choices:
            words.insert(random.randrange(len(words)), random.choice(choices))
    return words


def random_swap(words, count, known):
    words = list(words)
    for _ in range(count):
        if len(words) > 1:
            i, j = random.sample(range(len(words)), 2)
            words[i], words[j] = words[j], words[i]
    return words


def random_deletion(words, count, known):
    return [word for word in words if random.random() > 0.1] or [random.choice(words)]


EDITS = (synonym_replacement, random_insertion, random_swap, random_deletion)


def by_paper(caption, known):
    words = caption.split()
    return " ".join(random.choice(EDITS)(words, max(1, len(words) // 10), known))


def main():
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as root:
        wordnet = synonyms.reader(request["wordnet"]["dictionary"], request["wordnet"]["exceptions"], root)
        cache = {}

        def known(word):
            if word not in cache:
                cache[word] = synonyms.synonyms(wordnet, word)
            return cache[word]

        random.seed(1)
        augment = lambda caption: by_paper(caption, known)
        if request["against"] == "reference":
            import reference

            eda = reference.augmenter(wordnet)
            augment = lambda caption: eda.eda(caption)[0]
        json.dump([[augment(caption) for _ in range(request["draws"])] for caption in request["captions"]], sys.stdout)


main()
