"""Stage 1: the vision encoder learns what covers each patch, what stands in the picture, and how each patch looks.

After a warm start features of pictures in known art stay nearly what they were, so that the stages after it need not
begin anew: the tokenizer then gives nearly the same codes.
"""
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from networks.config import MINI
from networks.model import fill
from networks.visual_tokenizer import VisionEncoder

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import GROUND_NAMES, NO_OBJECT, Sprites, draw
from ..loop import run
from .styles import convolved, mix_styles

BATCH, PLAIN, OTHERS = 24, 6, 6  # the first PLAIN pictures of a batch are drawn as they are, the last show others
COUNTS = (.45, .25, .15, .15)
STAY = 12.      # how much features of what is drawn as it is must stay what they were before a warm start
APPEARANCE = 8  # each patch is looked at as 8 x 8 pixels


class EncoderHeads(nn.Module):
    """Training-only readings of the features."""

    def __init__(self, width, concepts):
        super().__init__()
        self.concept, self.stem = nn.Linear(width, concepts), nn.Linear(width, concepts)
        self.present, self.ground = nn.Linear(width, concepts), nn.Linear(width, len(GROUND_NAMES))
        self.appearance = nn.Sequential(nn.Linear(width, 512), nn.GELU(), nn.Linear(512, APPEARANCE ** 2 * 3))


def appearance_of(x, grid):
    """Normalised pixels (B, 3, S, S) -> (B, N, 8 * 8 * 3)."""
    x = F.interpolate(x, size=grid * APPEARANCE, mode='bilinear', antialias=True)
    return F.pixel_unshuffle(x, APPEARANCE).flatten(2).transpose(1, 2)


@cache
def others_in(folder):
    """The emoji that are no concept, if they were drawn."""
    return Sprites(Path(folder) / 'others') if (Path(folder) / 'others').exists() else None


def make(sprites, rng):
    others = others_in(sprites.folder)
    concepts, known = len(sprites.names), BATCH - (OTHERS if others else 0)
    pictures, scenes = zip(*(draw(sprites, rng, augment=number >= PLAIN, counts=COUNTS) for number in range(known)))
    labels, present, ground = facts(scenes, concepts)
    if others:
        strange, scenes = zip(*(draw(others, rng, augment=True, counts=COUNTS) for _ in range(OTHERS)))
        numbered, _, behind = facts(scenes, len(others.names))
        pictures, ground = pictures + strange, torch.cat([ground, behind])
        labels = torch.cat([labels, torch.where(numbered == NO_OBJECT, NO_OBJECT, numbered + concepts)])
    return to_planes(pictures), labels, present, ground


def facts(scenes, concepts):
    """Patch labels (B, N), share of each concept (B, concepts), ground index (B)."""
    labels = torch.stack([torch.from_numpy(s.labels).flatten() for s in scenes])
    present = torch.zeros(len(scenes), concepts)
    for row, scene in zip(present, scenes):
        row[torch.tensor(scene.concepts)] = 1
    return labels, present / present.sum(1, keepdim=True), torch.tensor([GROUND_NAMES.index(s.ground) for s in scenes])


def main(args):
    encoder = VisionEncoder(MINI.encoder).to(memory_format=torch.channels_last)
    heads = EncoderHeads(MINI.encoder.width, args.concepts)
    sprites, others = Sprites(args.sprites, args.concepts), others_in(args.sprites)
    # names what is no concept, too: the more kinds of things are told apart, the less does style count
    namer = nn.Linear(MINI.encoder.width, args.concepts + (len(others.names) if others else 0))
    encoder.patch_embed.proj[1].register_forward_hook(
        lambda stem, _, features: mix_styles(features, PLAIN) if stem.training else None)
    before = fill(VisionEncoder(MINI.encoder), Path(args.weights) / 'encoder.safetensors').eval() if args.warm else None
    trained_art = heldout(sprites, measured(args, 300))
    unseen_art = heldout(sprites, measured(args, 300), seed=1, styles=sprites.heldout_styles)

    def loss_of(batch, progress):
        pixels, labels, present, ground = batch
        x = encoder.normalise(pixels)
        x = torch.cat([x[:PLAIN], convolved(x[PLAIN:])])
        rows, stem = encoder.forward_all(x)
        features, shown = rows[:, 1:], labels != NO_OBJECT
        seen = shown & (labels < args.concepts)
        concept = F.cross_entropy(heads.concept(features[seen]), labels[seen], label_smoothing=.05)
        on_stem = F.cross_entropy(heads.stem(stem[seen]), labels[seen], label_smoothing=.05)
        any_thing = F.cross_entropy(namer(features[shown]), labels[shown], label_smoothing=.05)
        multi = -(present * heads.present(rows[:len(present), 0]).log_softmax(-1)).sum(-1).mean()
        plain = F.cross_entropy(heads.ground(rows[:, 0]), ground)
        gap = heads.appearance(features) - appearance_of(x, MINI.encoder.grid)
        loss = (concept + .5 * on_stem + .5 * any_thing + .2 * plain + .2 * multi + 4 * gap.pow(2).mean()
                + 2 * gap.abs().mean())
        told = {'concept': concept, 'any_thing': any_thing, 'stem': on_stem, 'ground': plain,
                'appearance': gap.pow(2).mean()}
        if before:
            with torch.no_grad():
                were = before(x[:PLAIN])
            told['moved'] = 1 - F.cosine_similarity(features[:PLAIN], were, dim=-1).mean()
            loss = loss + STAY * told['moved']
        return loss, told

    def evaluate():
        return {f'{name}_{k}': v for name, (pixels, scenes) in (('trained', trained_art), ('unseen', unseen_art))
                for k, v in figures(encoder, heads, pixels, scenes).items()}

    run(args, 'encoder', {'encoder': encoder, 'heads': heads, 'namer': namer}, make, loss_of, evaluate,
        lr=2.5e-3, slow=[encoder.blocks], seed=1)


def figures(encoder, heads, pixels, scenes):
    labels, _, ground = facts(scenes, heads.concept.out_features)
    rows = torch.cat([encoder.forward_all(encoder.normalise(p))[0] for p in pixels.split(50)])
    seen = labels != NO_OBJECT
    right = heads.concept(rows[:, 1:]).argmax(-1)[seen] == labels[seen]
    return {'patch_label': round(right.float().mean().item(), 4),
            'ground': round((heads.ground(rows[:, 0]).argmax(-1) == ground).float().mean().item(), 4)}
