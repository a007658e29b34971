"""Stage 3: decoder and painter go on learning, while codes stay what they are.

Nothing flows back beyond the codes, so that a step costs half of one of the stage before; and the language model, which
knows codes alone, may be trained at the same time.
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
from .encoder import EncoderHeads
from .judge import Judge
from .tokenizer import C, calibrate, decode, figures, looking_loss, make, painting_losses, reading_loss, weights

BATCH, HOUSE = 24, 13
COUNTS, COMPOSED = (.25, .59, .08, .08), .7   # of house pictures: pairs are what is painted worst


def main(args):
    encoder, heads = VisionEncoder(MINI.encoder), EncoderHeads(MINI.encoder.width, args.concepts)
    judge = Judge(args.concepts)
    tokenizer, decoder = DynamicTokenizer(MINI.encoder, C), TokenizerDecoder(MINI.encoder, C)
    painter = Painter(MINI.encoder, MINI.pixel_decoder)
    load(args, 'encoder', encoder=encoder, heads=heads)
    load(args, 'judge', judge=judge)
    load(args, 'tokenizer', tokenizer=tokenizer, decoder=decoder, painter=painter)
    for module in (decoder, painter):
        module.requires_grad_(True)
    encoder.to(memory_format=torch.channels_last)
    sprites = Sprites(args.sprites, args.concepts)
    calibrate(encoder, tokenizer, sprites, measured(args, 300))
    single = heldout(sprites, measured(args, 200), seed=3, styles=[sprites.house], plain=True, count=1)
    composed = heldout(sprites, measured(args, 200), seed=9, styles=[sprites.house], plain=True, count=1, composed=True)
    any_art = heldout(sprites, measured(args, 100), seed=5)
    chance = np.random.default_rng(6)

    def loss_of(batch, progress):
        pixels, labels, _, _ = batch
        with torch.no_grad():
            features = encoder(encoder.normalise(pixels))
            threshold = .5 if chance.random() < .7 else chance.uniform(.2, .8)
            keep = choose(tokenizer.token_predictor(features)[..., 0].exp(), threshold, C.min_visual_tokens)
            codes = tokenizer(features, keep)
        rebuilt, weight = decode(tokenizer, decoder, keep, codes), weights(labels)
        read, parts = reading_loss(heads, rebuilt, features, labels, weight, HOUSE)
        painted = painter(rebuilt[:HOUSE])
        pixel, edge = painting_losses(painted, pixels[:HOUSE], weight[:HOUSE])
        look = looking_loss(encoder, heads, painted, pixels, labels, weight)
        return read + 2 * pixel + edge + look, {**parts, 'pixel': pixel, 'edge': edge, 'look': look}

    def evaluate():
        return {f'{name}_{k}': round(float(v), 4)
                for name, art in (('single', single), ('composed', composed), ('any', any_art))
                for k, v in figures(encoder, heads, tokenizer, decoder, painter, judge, *art, threshold=.5).items()}

    run(args, 'painter', {'decoder': decoder, 'painter': painter},
        partial(make, batch=BATCH, of_house=HOUSE, counts=COUNTS, composed=COMPOSED), loss_of, evaluate, lr=1.5e-3,
        weight_decay=.02, seed=6, every=240)
