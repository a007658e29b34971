"""Stage 2: selector, merger, quantizer, decoder and painter learn together to say a picture in few codes.

Order of things: all patches kept and no quantisation, then k-means and quantisation, then the kept share sinks step by
step to its target; a warm start does it all at once. Equation 4 of the paper (cosine reconstruction and rate), with
readings through the frozen encoder heads and a pixel loss through the painter beside it; patches of objects weigh more.
"""
import math
from dataclasses import dataclass
from itertools import count

import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.pixel_decoder import Painter
from networks.visual_tokenizer import DynamicTokenizer, TokenizerDecoder, VisionEncoder, choose, rank_order

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import NO_OBJECT, Sprites, draw
from ..loop import load, run
from .codebook import CodebookLearner
from .encoder import EncoderHeads, facts
from .judge import Judge, answers

BATCH, HOUSE = 20, 11   # the first HOUSE pictures of a batch are in the house style; they are painted
LOOKED_AT = 8           # of them the encoder looks at again
OBJECT_WEIGHT = 3.      # of patches that show an object, in what is compared patch by patch; more if it has few
PAINTING = 'painter', 'tokenizer'   # stages that train decoder and painter, the later one first
NAMING = .15, .5        # weight of what a patch is called, in the house style and in other art, which is only read
C = MINI.tokenizer
QUIET_FROM = .75        # share of the run after which decisions to keep are no longer noisy


@dataclass(frozen=True)
class Schedule:
    """Shares of the run."""
    quantise_from: float
    drop_from: float
    drop_until: float


FRESH, WARM = Schedule(.06, .16, .45), Schedule(0, 0, .04)


def make(sprites, rng, batch=BATCH, of_house=HOUSE, counts=(.36, .4, .12, .12), composed=.5):
    house = [draw(sprites, rng, styles=[sprites.house], plain=rng.random() < .6, counts=counts,
                  composed=rng.random() < composed) for _ in range(of_house)]
    others = [draw(sprites, rng, augment=rng.random() < .3) for _ in range(batch - of_house)]
    pictures, scenes = zip(*house, *others)
    return to_planes(pictures), *facts(scenes, len(sprites.names))


def wanted_ratio(schedule, progress):
    if progress < schedule.drop_from:
        return 1.
    sunk = (progress - schedule.drop_from) / (schedule.drop_until - schedule.drop_from)
    return max(C.keep_ratio, 1 - (1 - C.keep_ratio) * sunk)


def draw_keep(log_probabilities, progress):
    """Hard keep decisions (B, N) with a straight-through gradient, and the soft ones."""
    odds = 6 * torch.tanh(odds_of(log_probabilities) / 6)
    u = torch.rand_like(odds).clamp(1e-5, 1 - 1e-5)
    noise = max(0., 1 - progress / QUIET_FROM)
    soft = torch.sigmoid((odds + noise * (u.log() - (1 - u).log())) / max(.5, 1 - progress))
    return ((soft > .5).float() - soft).detach() + soft, torch.sigmoid(odds)


def odds_of(log_probabilities): return log_probabilities[..., 0] - log_probabilities[..., 1]


def guidance(odds, seen):
    """What leads the selector beside its gradient: patches of objects should rather stay, for left alone it prefers
    what is easy to say, the ground, the more so the more there is to see; and odds stay within reach, for far out
    nothing moves them any more."""
    much = seen.sum(1, keepdim=True) / seen.sum() * len(seen)
    stay = .5 * (much * seen * (1 - odds).clamp(min=0).pow(2)).mean()
    return stay + .01 * (odds.abs() - 4).clamp(min=0).pow(2).mean()


def weights(labels):
    """What each patch counts (B, N), 1 on average: a small object counts nearly as much as a large one."""
    seen = labels != NO_OBJECT
    objects = torch.tensor([len(row.unique()) for row in labels.masked_fill(~seen, NO_OBJECT)]) - 1
    patches = seen.sum(1) / objects.clamp(min=1)   # of one object
    few = (20 / patches.clamp(min=1)).clamp(1, 2.5)
    weight = 1 + (OBJECT_WEIGHT * few[:, None] - 1) * seen
    return weight / weight.mean()


def edges(x): return torch.cat([x.diff(dim=-1).flatten(1), x.diff(dim=-2).flatten(1)], 1)


def reading_loss(heads, rebuilt, features, labels, weight, of_house):
    """How far rebuilt features (B, N, D) are from the true ones, in direction and in what the encoder's heads read; the
    first `of_house` are of the house style."""
    seen = labels != NO_OBJECT
    cosine = 1 - (weight * F.cosine_similarity(rebuilt, features, dim=-1)).mean()
    concept = F.cross_entropy(heads.concept(rebuilt[seen]), labels[seen], reduction='none')
    naming = torch.where(torch.arange(len(seen)) < of_house, *NAMING)[:, None].expand_as(seen)[seen]
    with torch.no_grad():
        look = heads.appearance(features)
    appearance = (weight * (heads.appearance(rebuilt) - look).abs().mean(-1)).mean()
    return (cosine + (naming * concept).mean() + appearance,
            {'cosine': cosine, 'concept': concept.mean(), 'appearance': appearance})


def painting_losses(painted, pixels, weight, most=0):
    """Distances of painted pictures (B, 3, S, S) from the true ones (uint8), of pixels and of edges. Things may stand
    up to `most` pixels beside their places."""
    target = nearby(painted, picture_of(pixels, painted.shape[-1]), weight, most)
    heavy = F.interpolate(weight.unflatten(1, (MINI.encoder.grid, -1))[:, None], size=painted.shape[-1])
    return (heavy * (painted - target).abs()).mean(), (edges(painted) - edges(target)).abs().mean()


@torch.no_grad()
def nearby(painted, target, weight, most):
    """The true pictures (B, 3, S, S) with each patch taken from up to `most` pixels beside its place, from where the
    patches about it look most like what is painted: codes do not tell places to the pixel, and what must be right for
    all of them comes out blurred."""
    size, grid = target.shape[-1], MINI.encoder.grid
    padded = F.pad(target, [most] * 4, mode='replicate')
    weight = weight.unflatten(1, (grid, grid))[:, None]

    def gap_to(moved):
        gap = F.avg_pool2d((painted - moved).abs().mean(1, keepdim=True), size // grid) * weight
        return F.avg_pool2d(gap, 5, 1, 2, count_include_pad=False)

    best, least = target, .99 * gap_to(target)  # what fits as well where it is stays there
    steps = range(-most, most + 1, 2)
    for dy, dx in sorted(((dy, dx) for dy in steps for dx in steps), key=lambda way: way[0] ** 2 + way[1] ** 2):
        moved = padded[..., most + dy:most + dy + size, most + dx:most + dx + size]
        gap = gap_to(moved)
        nearer = F.interpolate((gap < least).float(), size=size) > 0
        best, least = torch.where(nearer, moved, best), torch.minimum(gap, least)
    return best


def looking_loss(encoder, heads, painted, pixels, labels, weight):
    """What the encoder sees in painted pictures (B, 3, S, S), the first of a batch, against what it sees in the true
    ones (uint8). Both are moved by the same random way, so that nothing is gained by what shows in the rhythm of the
    patches alone."""
    n, size, grid = len(painted), MINI.encoder.image_size, MINI.encoder.grid
    patch = size // grid
    way = torch.randint(patch, (2,)).tolist()

    def moved(x): return x.roll(way, (-2, -1))

    def at_patches(x):
        """(B, N) -> what lies in the middle of each patch afterwards."""
        by_pixel = x[:n].unflatten(1, (grid, grid)).repeat_interleave(patch, 1).repeat_interleave(patch, 2)
        return moved(by_pixel)[:, patch // 2::patch, patch // 2::patch].flatten(1)

    again = F.interpolate(painted, size=size, mode='bilinear')
    with torch.no_grad():
        features = encoder(encoder.normalise(moved(pixels[:n])))
    seen_again = encoder(((moved(again) + 1) / 2 - encoder.mean) / encoder.std)
    labels, weight = at_patches(labels), at_patches(weight)
    shown = labels != NO_OBJECT
    recognised = F.cross_entropy(heads.concept(seen_again[shown]), labels[shown])
    return 1 - (weight * F.cosine_similarity(seen_again, features, dim=-1)).mean() + .1 * recognised


def picture_of(pixels, size):
    """uint8 (B, 3, S, S) -> -1..1 at the painted size."""
    return F.interpolate(pixels.float() / 127.5 - 1, size=size, mode='bilinear', antialias=True)


def main(args):
    encoder, heads = VisionEncoder(MINI.encoder), EncoderHeads(MINI.encoder.width, args.concepts)
    load(args, 'encoder', encoder=encoder, heads=heads)
    judge = Judge(args.concepts)
    load(args, 'judge', judge=judge)
    encoder.to(memory_format=torch.channels_last)
    tokenizer, decoder = DynamicTokenizer(MINI.encoder, C), TokenizerDecoder(MINI.encoder, C)
    painter = Painter(MINI.encoder, MINI.pixel_decoder, args.concepts)
    painter.recall.requires_grad_(False)   # the next stage's
    sprites = Sprites(args.sprites, args.concepts)
    single = heldout(sprites, measured(args, 100), seed=3, styles=[sprites.house], plain=True, count=1)
    mixed = heldout(sprites, measured(args, 100), seed=4, styles=[sprites.house])
    any_art = heldout(sprites, measured(args, 100), seed=5)
    learner = CodebookLearner(len(tokenizer.quantize.embedding.contents))
    learner.started.fill_(args.warm)
    turn, schedule = count(), WARM if args.warm else FRESH

    def loss_of(batch, progress):
        pixels, labels, _, _ = batch
        with torch.no_grad():
            features = encoder(encoder.normalise(pixels))
        log_probabilities = tokenizer.token_predictor(features)
        keep, soft = draw_keep(log_probabilities, progress)
        ratio = wanted_ratio(schedule, progress)
        if ratio == 1:
            keep, rate = torch.ones_like(keep), .2 * (soft.mean() - .9) ** 2
        else:
            rate = 20 * (keep.mean() - ratio) ** 2
        rate = rate + guidance(odds_of(log_probabilities), (labels != NO_OBJECT).float())
        hard = keep.detach()
        z = tokenizer.project(features, hard)
        places, mask = rank_order(hard)
        z = z.gather(1, places[..., None].expand(-1, -1, C.code_dim))          # (B, K, code_dim)
        passing = mask * keep.gather(1, places)
        real = mask.bool()
        commit = z.new_zeros(())
        vectors = z
        if progress >= schedule.quantise_from:
            with torch.autocast('cpu', enabled=False):
                learner.learn(tokenizer.quantize, z[real].detach())
                if learner.started:
                    nearest = tokenizer.quantize.embedding(tokenizer.quantize.codes(z.detach()))
                    commit = ((z - nearest) ** 2).sum(-1)[real].mean()
                    vectors = z + (nearest - z).detach()
        rebuilt = decoder(vectors, passing)
        weight = weights(labels)
        read, figures_read = reading_loss(heads, rebuilt, features, labels, weight, HOUSE)
        painted = painter(rebuilt[:HOUSE])
        pixel, edge = painting_losses(painted, pixels[:HOUSE], weight[:HOUSE])
        loss = read + rate + .3 * commit + 2 * pixel + edge
        if next(turn) % 2 == 0:
            loss = loss + looking_loss(encoder, heads, painted[:LOOKED_AT], pixels, labels, weight)
        return loss, {**figures_read, 'kept': hard.mean(), 'commit': commit, 'pixel': pixel}

    def evaluate():
        result = {}
        for name, (pixels, scenes) in (('single', single), ('mixed', mixed), ('any', any_art)):
            result |= {f'{name}_{k}': round(float(v), 4) for k, v in
                       figures(encoder, heads, tokenizer, decoder, painter, judge, pixels, scenes).items()}
        return result

    modules = {'tokenizer': tokenizer, 'decoder': decoder, 'painter': painter, 'learner': learner}
    run(args, 'tokenizer', modules, make, loss_of, evaluate, lr=2e-3, weight_decay=.02, seed=3, every=240)


def tokenize(encoder, tokenizer, pixels, threshold=.5):
    """uint8 pixels -> features (B, N, D), keep (B, N), codes (B, N)."""
    features = encoder(encoder.normalise(pixels))
    keep = choose(tokenizer.token_predictor(features)[..., 0].exp(), threshold, C.min_visual_tokens)
    return features, keep, tokenizer(features, keep)


def decode(tokenizer, decoder, keep, codes):
    places, mask = rank_order(keep)
    return decoder(tokenizer.quantize.embedding(codes.gather(1, places)), mask)


def threshold_for(encoder, tokenizer, pixels):
    """The keep probability above which a `keep_ratio` share of all patches lies."""
    scores = torch.cat([tokenizer.token_predictor(encoder(encoder.normalise(p)))[..., 0].exp()
                        for p in pixels.split(50)])
    return scores.flatten().quantile(1 - C.keep_ratio).item()


def calibrate(encoder, tokenizer, sprites, pictures=300):
    """Moves the selector's last bias so that at threshold 0.5 the target share of patches stays, over all kinds of
    scenes."""
    house, _ = heldout(sprites, pictures, seed=6, styles=[sprites.house])
    others, _ = heldout(sprites, pictures, seed=7)
    threshold = threshold_for(encoder, tokenizer, torch.cat([house, others]))
    with torch.no_grad():
        tokenizer.token_predictor.out_conv[-1].bias[0] -= math.log(threshold / (1 - threshold))


def figures(encoder, heads, tokenizer, decoder, painter, judge, pixels, scenes, threshold=None):
    labels, _, _ = facts(scenes, heads.concept.out_features)
    threshold = threshold_for(encoder, tokenizer, pixels) if threshold is None else threshold
    kept, used, right, right_before, cosine, painted = [], [], [], [], [], []
    for i in range(0, len(pixels), 50):
        features, keep, codes = tokenize(encoder, tokenizer, pixels[i:i + 50], threshold)
        rebuilt, answer = decode(tokenizer, decoder, keep, codes), labels[i:i + 50]
        seen = answer != NO_OBJECT
        kept.append(keep.sum(1))
        used.append(codes[keep.bool()])
        right.append((heads.concept(rebuilt).argmax(-1) == answer)[seen])
        right_before.append((heads.concept(features).argmax(-1) == answer)[seen])
        cosine.append(F.cosine_similarity(rebuilt, features, dim=-1).mean(1))
        painted.append(painter(rebuilt))
    kept, objects = torch.cat(kept), torch.tensor([len(s.concepts) for s in scenes])
    share = torch.bincount(torch.cat(used), minlength=C.codebook_size).float()
    share = share[share > 0] / share.sum()
    result = {'cosine': torch.cat(cosine).mean(), 'survives': torch.cat(right).float().mean() /
              torch.cat(right_before).float().mean().clamp(min=1e-9), 'kept': kept.mean(), 'kept_least': kept.min(),
              'perplexity': (-(share * share.log()).sum()).exp(), 'threshold': threshold}
    painted, shown = torch.cat(painted).clamp(-1, 1), picture_of(pixels, painted[0].shape[-1])
    result['gradient_energy'] = edges(painted).pow(2).sum() / edges(shown).pow(2).sum()
    result |= {f'kept_{n}_objects': kept[objects == n].mean() for n in range(1, 5) if (objects == n).any()}
    if (objects == 1).all():
        concept, ground = answers(scenes)
        guess, plain = judge(painted)
        result |= {'judged': (guess.argmax(-1) == concept).float().mean(),
                   'ground': (plain.argmax(-1) == ground).float().mean()}
    return result
