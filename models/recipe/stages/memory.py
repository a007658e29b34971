"""After stage 1: how features of each thing usually are, and which patches show a thing.

Means over scenes in known art, as it is drawn; what shows a thing is learnt from restyled scenes, too. The reading of
patches is the encoder's, and stays as it is.
"""
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.memory import Memory
from networks.visual_tokenizer import VisionEncoder

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import NO_OBJECT, Sprites, draw
from ..loop import load
from .encoder import EncoderHeads, facts

PLAIN, RESTYLED, LR = 16, 16, 5e-3  # pictures of a batch, and the highest rate for `shows`
TOLD_EVERY = 30


def main(args):
    encoder, heads = VisionEncoder(MINI.encoder), EncoderHeads(MINI.encoder.width, args.concepts)
    load(args, 'encoder', encoder=encoder, heads=heads)
    sprites, rng = Sprites(args.sprites, args.concepts), np.random.default_rng(19)
    memory = Memory(MINI.encoder.width, args.concepts)
    memory.concept.load_state_dict(heads.concept.state_dict())
    means = Means(args.concepts, MINI.encoder.width)
    optimiser = torch.optim.AdamW(memory.shows.parameters(), LR)
    began, budget, told = time.time(), args.minutes * 60, 0.
    while not means.pictures or time.time() - began < budget:
        pictures, scenes = zip(*(draw(sprites, rng, augment=number >= PLAIN) for number in range(PLAIN + RESTYLED)))
        features, labels = look(encoder, to_planes(pictures)), facts(scenes, args.concepts)[0]
        means.add(features[:PLAIN], labels[:PLAIN])
        spent = min(1, (time.time() - began) / budget) if budget else 1
        optimiser.param_groups[0]['lr'] = LR * (1 - .98 * spent)
        loss = shows_loss(memory, features, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if time.time() - told > TOLD_EVERY:
            print(f'memory: {means.pictures} pictures, {means.missing()} concepts not seen, shows {loss:.4f}',
                  flush=True)
            told = time.time()
    with torch.no_grad():
        memory.usual.weight.copy_(means.of_each().T)
        for name, styles in (('trained', None), ('unseen', sprites.heldout_styles)):
            pixels, scenes = heldout(sprites, measured(args, 200), seed=15, styles=styles)
            shown = facts(scenes, args.concepts)[0] != NO_OBJECT
            right = ((memory.shows(look(encoder, pixels))[..., 0] > 0) == shown).float().mean().item()
            print(f'memory: {name} art, patches told from the ground {right:.4f}')
    torch.save({'modules': {'memory': memory.state_dict()}}, Path(args.runs) / 'memory.pt')


@torch.no_grad()
def look(encoder, pixels): return encoder(encoder.normalise(pixels))


def shows_loss(memory, features, labels):
    return F.binary_cross_entropy_with_logits(memory.shows(features)[..., 0], (labels != NO_OBJECT).float())


class Means:
    """Of the features of each concept, over all patches that show it."""

    def __init__(self, concepts, width):
        self.sums, self.counts, self.pictures = torch.zeros(concepts, width), torch.zeros(concepts, 1), 0

    def add(self, features, labels):
        shown = labels != NO_OBJECT
        self.sums.index_add_(0, labels[shown], features[shown])
        self.counts.index_add_(0, labels[shown], torch.ones(int(shown.sum()), 1))
        self.pictures += len(features)

    def missing(self): return int((self.counts == 0).sum())

    def of_each(self): return self.sums / self.counts.clamp(min=1)
