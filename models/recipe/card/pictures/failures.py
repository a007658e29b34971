"""Where the model fails: the first captions, answers and paintings that are wrong, in the order they were drawn."""
from itertools import count, islice

import numpy as np
import torch

from networks.decoding import write_captions

from ...data.batches import EVALUATION_SEED, heldout
from ...data.draw_heldout import on_ground
from ...data.wording import counted, questions
from ...stages.language_model import QUESTION, concepts_named, understand
from .painted import paint_orders
from .sheet import QUIET, WRONG, column, heading, image_of, row, side_of, words

SHOWN = 6
SIDE = side_of(SHOWN)


def failures(eyes, understanding, lm, judge, sentences, sprites, seed, at_once):
    def say(planes, prompt=''):
        """What the model says after a picture: a caption, or the answer to a question."""
        prefix, positions, real, _ = understand(eyes, understanding, lm, planes[None])
        asked = torch.tensor([sentences.ids(prompt) if prompt else []], dtype=torch.long)
        places = positions[:, -1:] + 1 + torch.arange(asked.shape[1])
        ids, = write_captions(lm, torch.cat([prefix, lm.embed(asked)], 1), torch.cat([positions, places], 1),
                              torch.cat([real, torch.ones(asked.shape)], 1))
        return sentences.tokenizer.decode(ids).strip()

    def captions():
        for planes, scene in fresh(sprites, seed, at_once):
            said = say(planes)
            if not set(scene.concepts) <= concepts_named(said, sentences.words):
                yield planes, said, on_ground(counted(scene, sentences.words, None), scene.ground)

    def answers():
        rng = np.random.default_rng((EVALUATION_SEED, seed))
        for planes, scene in fresh(sprites, seed, at_once):
            (_, question, answer), = questions(scene, sentences.words, rng, 1)
            said = say(planes, QUESTION.format(question=question))
            if said != answer:
                yield planes, said, f'{question} ({answer})'

    def paintings():
        for number in count():
            for prompt, picture, taken_for in paint_orders(eyes, lm, judge, sentences, at_once, seed + 1 + number):
                if taken_for:
                    yield picture, taken_for, prompt

    return [part for title, note, found in (
        ('Captions that miss a thing', 'In red what the model says, below it what there is.', captions()),
        ('Wrong answers', 'In red what the model says, below it the question and its answer.', answers()),
        ('Paintings that are not recognised', 'In red what the judge takes the picture for, below it the prompt.',
         paintings()))
        for part in (heading(title, f'The first {SHOWN}, in the order they were drawn. {note}'),
                     row([tile(*one) for one in islice(found, SHOWN)]))]


def fresh(sprites, seed, at_once):
    """Endless fresh scenes in trained art, one by one."""
    for number in count():
        yield from zip(*heldout(sprites, at_once, seed=(seed, number)))


def tile(planes, said, there):
    return column([image_of(planes, SIDE), words(said, SIDE, 13, WRONG), words(there, SIDE, 13, QUIET)], 5)
