"""Stage 3: the painter goes on learning, while codes and their decoder stay what they are; a critic makes it sharp.

First it learns what things look like and how patches find them (`networks.recall`), then all of it together. What
learns is a pupil, whose weights never rest; the painter follows it slowly, as a mean of what it was (Yazici et al.
2019, "The Unusual Effectiveness of Averaging in GAN Training").

Nothing flows back beyond the painter, so that a step costs a third of one of the stage before; and the language model,
which knows codes alone, may be trained at the same time.
"""
from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.pixel_decoder import Painter
from networks.visual_tokenizer import DynamicTokenizer, TokenizerDecoder, VisionEncoder, choose

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import NO_OBJECT, Sprites, draw
from ..loop import goes_on, load, run
from .adversary import Critic, learn, please
from .encoder import EncoderHeads
from .judge import Judge
from .recall import learn_pictures, places_of
from .tokenizer import (
    LOOKED_AT,
    C,
    calibrate,
    decode,
    figures,
    looking_loss,
    painting_losses,
    picture_of,
    weights,
)

BATCH = 14
CRITIC_FROM, CRITIC_WEIGHT = .3, .3   # share of the run after which the critic is heard, and how much
COUNTS, COMPOSED = (.35, .35, .15, .15), .7   # small things are what is painted worst
BESIDE = 4   # pixels by which things may be painted beside their places
REACH = .7   # of a thing's side: patches as near to its middle are asked about it
PLACE, THING = 4., .1
FINDING = .1  # share of the run in which patches only learn to find things
PACE = .002  # share of the way that the painter goes, at each step, to the one that learns


def main(args):
    encoder, heads = VisionEncoder(MINI.encoder), EncoderHeads(MINI.encoder.width, args.concepts)
    judge = Judge(args.concepts)
    tokenizer, decoder = DynamicTokenizer(MINI.encoder, C), TokenizerDecoder(MINI.encoder, C)
    painter, critic = Painter(MINI.encoder, MINI.pixel_decoder, args.concepts), Critic(MINI.encoder)
    load(args, 'encoder', encoder=encoder, heads=heads)
    load(args, 'judge', judge=judge)
    load(args, 'tokenizer', tokenizer=tokenizer, decoder=decoder, painter=painter)
    sprites = Sprites(args.sprites, args.concepts)
    if not (goes_on(args, 'painter') or painter.recall.pictures.any()):
        painter.recall.thing.load_state_dict(heads.concept.state_dict())
        learn_pictures(painter.recall, sprites, min(1., args.minutes / 30))
    pupil = deepcopy(painter).requires_grad_(True)
    for module in (encoder, critic):
        module.to(memory_format=torch.channels_last)
    calibrate(encoder, tokenizer, sprites, measured(args, 300))
    single = heldout(sprites, measured(args, 200), seed=3, styles=[sprites.house], plain=True, count=1)
    composed = heldout(sprites, measured(args, 200), seed=9, styles=[sprites.house], plain=True, count=1, composed=True)
    chance = np.random.default_rng(6)

    def loss_of(batch, progress):
        pixels, labels, boxes = batch
        with torch.no_grad():
            torch._foreach_lerp_([*painter.parameters()], [*pupil.parameters()], PACE)
            features = encoder(encoder.normalise(pixels))
            threshold = .5 if chance.random() < .7 else chance.uniform(.2, .8)
            keep = choose(tokenizer.token_predictor(features)[..., 0].exp(), threshold, C.min_visual_tokens)
            rebuilt = decode(tokenizer, decoder, keep, tokenizer(features, keep))
        seen = pupil.see(rebuilt)
        said = pupil.recall.find(seen, rebuilt)
        agreed = pupil.recall.agree(*said)
        place, thing = finding_losses(pupil.recall.middles, said, agreed, labels, boxes)
        if progress < FINDING:
            return place + THING * thing, {'place': place, 'thing': thing}
        weight, painted = weights(labels), pupil.paint(seen, pupil.recall.lay(*(said.detach() for said in agreed)))
        pixel, edge = painting_losses(painted, pixels, weight, BESIDE)
        look = looking_loss(encoder, heads, painted[:LOOKED_AT], pixels, labels, weight)
        critical = learn(critic, picture_of(pixels, painted.shape[-1]), painted, rebuilt)
        loss = 2 * pixel + edge + look + critical + PLACE * place + THING * thing
        heard = CRITIC_WEIGHT * min(1, max(0, progress - CRITIC_FROM) / .1)
        if heard:
            loss = loss + heard * please(critic, painted, rebuilt)
        return loss, {'pixel': pixel, 'edge': edge, 'look': look, 'critic': critical, 'place': place, 'thing': thing}

    def evaluate():
        return {f'{name}_{k}': round(float(v), 4) for name, art in (('single', single), ('composed', composed))
                for k, v in figures(encoder, heads, tokenizer, decoder, painter, judge, *art, threshold=.5).items()}

    run(args, 'painter', {'decoder': decoder, 'painter': painter, 'pupil': pupil, 'critic': critic},
        make, loss_of, evaluate, lr=1.5e-3, weight_decay=.02, seed=6, every=240)


def make(sprites, rng):
    pictures, scenes = zip(*(draw(sprites, rng, styles=[sprites.house], plain=rng.random() < .6, counts=COUNTS,
                                  composed=rng.random() < COMPOSED) for _ in range(BATCH)))
    return to_planes(pictures), *places_of(scenes)


def finding_losses(middles, said, agreed, labels, boxes):
    """How far from the truth patches on and about things are with the box of the thing nearest to them, for themselves
    and together, and together with what it is; and all with whether they show one. Boxes (B, K, 4): as scenes tell
    them, and the concept or NO_OBJECT."""
    _, alone, shown = said
    scores, together, _ = agreed
    gaps = (middles[:, None] - boxes[:, None, :, :2]).abs().amax(-1)   # (B, N, K)
    gaps = (gaps / boxes[:, None, :, 2]).masked_fill(boxes[:, None, :, 3] == NO_OBJECT, torch.inf)
    gap, nearest = gaps.min(-1)
    wanted, about = boxes.gather(1, nearest[..., None].expand(-1, -1, 4)), gap < REACH
    place = sum((told[about] - wanted[about][:, :3]).abs().mean() for told in (alone, together))
    return (place + .1 * F.binary_cross_entropy_with_logits(shown, (labels != NO_OBJECT).float()),
            F.cross_entropy(scores[about], wanted[about][:, 3].long()))
