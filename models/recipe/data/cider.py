"""CIDEr-D (Vedantam et al. 2015, arXiv 1411.5726, section 5 and its gaming-resistant form), without stemming, on words
split at spaces and commas."""
import math
from collections import Counter

import numpy as np

LENGTHS, SIGMA = (1, 2, 3, 4), 6.


def grams(sentence):
    """One Counter of n-grams for each length."""
    words = sentence.lower().replace(',', ' ').replace('.', ' ').split()
    return [Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1)) for n in LENGTHS]


def cider(candidates, references):
    """Mean CIDEr-D over pictures, 0..10: one candidate and a list of references for each. Rarity is counted over the
    pictures whose references hold an n-gram."""
    counted = [[grams(r) for r in row] for row in references]
    seen_in = Counter(g for row in counted for g in {g for sentence in row for n in sentence for g in n})
    rarity = lambda gram: math.log(len(references)) - math.log(max(1, seen_in[gram]))

    def weigh(counts): return {g: c * rarity(g) for g, c in counts.items()}
    def norm(weights): return math.sqrt(sum(w * w for w in weights.values()))

    def likeness(candidate, reference):
        gap = sum(candidate[0].values()) - sum(reference[0].values())
        total = 0.
        for a, b in zip(map(weigh, candidate), map(weigh, reference)):
            overlap = sum(min(w, b.get(g, 0.)) * b.get(g, 0.) for g, w in a.items())
            length = norm(a) * norm(b)
            total += overlap / length if length else 0.
        return total / len(LENGTHS) * math.exp(-gap ** 2 / (2 * SIGMA ** 2))

    return 10 * float(np.mean([np.mean([likeness(c, r) for r in row])
                               for c, row in zip(map(grams, candidates), counted)]))
