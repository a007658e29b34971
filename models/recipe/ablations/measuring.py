"""What a trained variant can do, on scenes that all variants share."""
from dataclasses import dataclass

import torch

from ..data.batches import heldout
from ..stages.judge import answers
from ..stages.language_model import judged, painting_figures, single_orders, speaking_figures
from .continuous import draw_vectors, paint_vectors

# of drawing codes; `shipped` is as version 0.4.0 was, with whose weights the ablations were run
WAYS = {'shipped': {'guidance': 2.}, 'unguided': {'guidance': 1.}, 'greedy': {'guidance': 1., 'top_k': 1}}


@dataclass
class Tests:
    trained: tuple   # pixels and scenes, of the art trained on
    unseen: tuple
    single: tuple    # single objects to be tokenized and painted again
    prompts: int

    def first(self, n):
        """Of each at most n."""
        art = ((pixels[:n], scenes[:n]) for pixels, scenes in (self.trained, self.unseen, self.single))
        return Tests(*art, min(n, self.prompts))


def tests(sprites, scenes, prompts):
    return Tests(heldout(sprites, scenes, seed=21), heldout(sprites, scenes, seed=22, styles=sprites.heldout_styles),
                 heldout(sprites, prompts, seed=23, styles=[sprites.house], plain=True, count=1), prompts)


@torch.no_grad()
def measure(variant, eyes, modules, sentences, judge, tests, ways):
    lm, merger, _ = modules.values()
    found = {f'{art}_{k}': v for art in ('trained', 'unseen')
             for k, v in speaking_figures(eyes, merger, lm, sentences, *getattr(tests, art)).items()}
    for way, drawn in paintings(variant, eyes, lm, sentences, judge, tests.prompts, ways).items():
        found |= {f'{way}_{k}': v for k, v in drawn.items()}
    return {**found, **{f'true_{k}': v for k, v in painted_again(variant, eyes, judge, *tests.single).items()}}


def paintings(variant, eyes, lm, sentences, judge, count, ways):
    """Way of drawing -> figures of single objects painted from words."""
    if not variant.continuous:
        return {way: painting_figures(eyes, lm, sentences, judge, count, **WAYS[way]) for way in ways}
    prompts, wanted = single_orders(sentences.words, count, seed=0)
    vectors = draw_vectors(lm, [sentences.ids(prompt) for prompt in prompts])
    return {'greedy': {**judged(judge, paint_vectors(eyes, vectors), wanted),
                       'painted_tokens': sum(map(len, vectors)) / count}}


def painted_again(variant, eyes, judge, pixels, scenes):
    """Pictures painted from their own codes or vectors: no language model can be expected to do better."""
    features, keep = eyes.see(pixels)
    kept = keep.bool()
    vectors = eyes.tokenizer.project(features, keep)
    if not variant.continuous:
        vectors = eyes.tokenizer.quantize.embedding(eyes.tokenizer.quantize.codes(vectors))
    pictures = paint_vectors(eyes, [row[k] for row, k in zip(vectors, kept)])
    concepts, grounds = answers(scenes)
    return judged(judge, pictures, list(zip(concepts.tolist(), grounds.tolist())))
