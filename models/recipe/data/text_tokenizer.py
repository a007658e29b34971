"""The text side of the vocabulary: byte-level BPE learnt from the recipe's own sentences, so no text is ever unknown.

`python -m recipe.data.text_tokenizer --out lavit-mini/tokenizer.json`. Ids 0, 1, 2 are unknown, begin and end; they are
plain vocabulary entries that no text can spell.
"""
import argparse
import json

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from networks.config import CONCEPTS, MINI

from .scenes import GROUND_NAMES, LAYOUTS, Scene
from .wording import NUMBERS, QUESTIONS, TELLING, Words, caption, order

SPECIALS = ['<unk>', '<s>', '</s>']


def sentences(words, count, rng):
    """Captions, orders, questions and answers about random scenes that nobody draws."""
    for _ in range(count):
        layout = LAYOUTS[list(LAYOUTS)[rng.integers(4)]]
        n = int(rng.integers(1, len(layout) + 1))
        scene = Scene([int(c) for c in rng.integers(len(words.labels), size=n)], [p for _, p in layout[:n]],
                      GROUND_NAMES[rng.integers(len(GROUND_NAMES))], None)
        yield caption(scene, words, rng)
        yield order(scene, words, rng)
        for ask in (QUESTIONS | TELLING).values():
            found = ask(scene, words, rng, 'trained')
            if found:
                yield MINI_QUESTION.format(question=found[0])
                yield found[1]


MINI_QUESTION = 'Question: {question} Answer:'


def train(words, count):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=MINI.language_model.text_vocabulary, special_tokens=SPECIALS,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), min_frequency=1,
                                  show_progress=False)
    rng = np.random.default_rng(7)
    everything = [*words.labels, *words.many, *(s for names in words.synonyms for s in names), *NUMBERS] * 40
    tokenizer.train_from_iterator([*everything, *sentences(words, count, rng)], trainer)
    return without_added_tokens(tokenizer)


def without_added_tokens(tokenizer):
    """User text that spells '</s>' must stay text."""
    about = json.loads(tokenizer.to_str())
    about['added_tokens'] = []
    return Tokenizer.from_str(json.dumps(about))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True)
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--sentences', type=int, default=20000, help='scenes whose sentences it learns from')
    args = parser.parse_args(arguments)
    train(Words(args.concepts), args.sentences).save(args.out)


if __name__ == '__main__':
    main()
