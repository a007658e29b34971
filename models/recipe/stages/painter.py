"""Stage 3: the painter goes on learning, while codes and their decoder stay what they are; a critic makes it sharp.

Nothing flows back beyond the painter, so that a step costs a third of one of the stage before; and the language model,
which knows codes alone, may be trained at the same time.
"""
from functools import partial

import numpy as np
import torch

from networks.config import MINI
from networks.pixel_decoder import Painter
from networks.visual_tokenizer import DynamicTokenizer, TokenizerDecoder, VisionEncoder, choose

from ..data.batches import heldout, measured
from ..data.scenes import Sprites
from ..loop import load, run
from .adversary import Critic, learn, please
from .encoder import EncoderHeads
from .judge import Judge
from .tokenizer import (
    LOOKED_AT,
    C,
    calibrate,
    decode,
    figures,
    looking_loss,
    make,
    painting_losses,
    picture_of,
    weights,
)

BATCH = 14
CRITIC_FROM, CRITIC_WEIGHT = .3, .3   # share of the run after which the critic is heard, and how much
COUNTS, COMPOSED = (.35, .35, .15, .15), .7   # small things are what is painted worst
BESIDE = 4   # pixels by which things may be painted beside their places


def main(args):
    encoder, heads = VisionEncoder(MINI.encoder), EncoderHeads(MINI.encoder.width, args.concepts)
    judge = Judge(args.concepts)
    tokenizer, decoder = DynamicTokenizer(MINI.encoder, C), TokenizerDecoder(MINI.encoder, C)
    painter, critic = Painter(MINI.encoder, MINI.pixel_decoder), Critic(MINI.encoder)
    load(args, 'encoder', encoder=encoder, heads=heads)
    load(args, 'judge', judge=judge)
    load(args, 'tokenizer', tokenizer=tokenizer, decoder=decoder, painter=painter)
    painter.requires_grad_(True)
    for module in (encoder, painter, critic):
        module.to(memory_format=torch.channels_last)
    sprites = Sprites(args.sprites, args.concepts)
    calibrate(encoder, tokenizer, sprites, measured(args, 300))
    single = heldout(sprites, measured(args, 200), seed=3, styles=[sprites.house], plain=True, count=1)
    composed = heldout(sprites, measured(args, 200), seed=9, styles=[sprites.house], plain=True, count=1, composed=True)
    chance = np.random.default_rng(6)

    def loss_of(batch, progress):
        pixels, labels, _, _ = batch
        with torch.no_grad():
            features = encoder(encoder.normalise(pixels))
            threshold = .5 if chance.random() < .7 else chance.uniform(.2, .8)
            keep = choose(tokenizer.token_predictor(features)[..., 0].exp(), threshold, C.min_visual_tokens)
            rebuilt = decode(tokenizer, decoder, keep, tokenizer(features, keep))
        weight, painted = weights(labels), painter(rebuilt)
        pixel, edge = painting_losses(painted, pixels, weight, BESIDE)
        look = looking_loss(encoder, heads, painted[:LOOKED_AT], pixels, labels, weight)
        critical = learn(critic, picture_of(pixels, painted.shape[-1]), painted, rebuilt)
        loss = 2 * pixel + edge + look + critical
        heard = CRITIC_WEIGHT * min(1, max(0, progress - CRITIC_FROM) / .1)
        if heard:
            loss = loss + heard * please(critic, painted, rebuilt)
        return loss, {'pixel': pixel, 'edge': edge, 'look': look, 'critic': critical}

    def evaluate():
        return {f'{name}_{k}': round(float(v), 4) for name, art in (('single', single), ('composed', composed))
                for k, v in figures(encoder, heads, tokenizer, decoder, painter, judge, *art, threshold=.5).items()}

    run(args, 'painter', {'decoder': decoder, 'painter': painter, 'critic': critic},
        partial(make, batch=BATCH, of_house=BATCH, counts=COUNTS, composed=COMPOSED), loss_of, evaluate, lr=1.5e-3,
        weight_decay=.02, seed=6, every=240)
