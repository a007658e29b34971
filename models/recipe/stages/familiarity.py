"""How familiar a picture is: a small head on the frozen encoder learns to tell scenes of known things from all else.

Inside: scenes in the art trained on, mostly restyled, since art that was never seen is no stranger. Outside: drawings
of other things on the same grounds, pieces of photographs, and what `data.outsiders` draws. Features are computed once,
then the head is fitted to them. It is measured on sources that none of this comes from, but for what a program draws.
"""
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.familiarity import Familiarity
from networks.model import build, fill, load_weights
from packager.precision import round_weights

from ..data.batches import EVALUATION_SEED, measured, to_planes
from ..data.outsiders import DRAWN, Outsiders, Photographs
from ..data.scenes import Sprites, draw
from .encoder import EncoderHeads

STEPS, BATCH, LR = 800, 256, 2e-3
NOISE = .1                      # of what a view sees, in its deviations
HABITS = (.05, .05), (.1, .3)   # smoothing of the answers and decay of the weights, of each view
RESTYLED = .75                  # of the pictures to learn from, inside and outside
STRANGE, PHOTOGRAPHS = .5, .2   # shares of the outside; the rest is drawn by program
FALSE_WARNINGS = .045           # of known things in unseen art, where at most .05 are wanted
COUNTS = (.4, .25, .17, .18)
PICTURES = 400                  # to measure with, of known things in art trained on


def main(args):
    model = round_weights(load_weights(build(MINI, args.concepts), args.weights))
    sprites = Sprites(args.sprites, args.concepts)
    strangers, photographs = Outsiders(args.sprites, False), Photographs.below(Path(args.outside) / 'trained')
    heads = fill(EncoderHeads(MINI.encoder.width, args.concepts), Path(args.weights) / 'heads.safetensors')
    rng, until = np.random.default_rng(17), time.time() + .8 * args.minutes * 60
    inside, outside = [], []
    while not inside or time.time() < until:
        inside.append(look(model, [draw(sprites, rng, augment=rng.random() < RESTYLED, counts=COUNTS)[0]
                                   for _ in range(50)]))
        outside.append(look(model, [stranger(strangers, photographs, rng) for _ in range(50)]))
    head = fit(Familiarity(MINI.encoder.width, args.concepts), heads, joined(inside), joined(outside))
    torch.save({'modules': {'familiarity': head.state_dict()}}, Path(args.runs) / 'familiarity.pt')
    model.familiarity = head
    round_weights(model)    # as the package has it
    figures = measure(model, head, sprites, Outsiders(args.sprites, True), Path(args.outside) / 'measured',
                      measured(args, PICTURES))
    (Path(args.runs) / 'familiarity.json').write_text(json.dumps(figures, indent=2) + '\n')
    print(json.dumps(figures, indent=2))


def stranger(strangers, photographs, rng):
    chance = rng.random()
    if chance < STRANGE:
        return strangers.picture(rng, augment=rng.random() < RESTYLED)
    if chance < STRANGE + PHOTOGRAPHS and photographs.pictures:
        return photographs.picture(rng)
    return DRAWN[list(DRAWN)[rng.integers(len(DRAWN))]](rng)


@torch.no_grad()
def look(model, pictures):
    """Features (B, N, D) and the selector's log-probabilities (B, N, 2), in half precision."""
    features = torch.cat([model.encoder(model.encoder.normalise(part)) for part in to_planes(pictures).split(50)])
    return features.half(), model.tokenizer.token_predictor(features).half()


def joined(parts): return tuple(torch.cat(part) for part in zip(*parts))


def fit(head, heads, inside, outside, steps=STEPS, seed=0):
    """The head, fitted to features and log-probabilities of pictures inside and outside."""
    head.concept.load_state_dict(heads.concept.state_dict())
    with torch.no_grad():
        views = joined([head.views(f.float(), p.float()) for f, p in
                        zip(*(x.split(100) for x in joined([inside, outside])))])
    return fit_views(head, views, torch.cat([torch.ones(len(inside[0])), torch.zeros(len(outside[0]))]), steps, seed)


def fit_views(head, views, known, steps=STEPS, seed=0):
    """Each view for itself: fitted together, the one that learns sooner would leave nothing to the other."""
    for view, x, (smoothing, decay) in zip((head.sureness, head.look), views, HABITS):
        torch.manual_seed(seed)
        view.mean.copy_(x.mean(0))
        view.deviation.copy_(x.std(0) + 1e-5)
        optimiser = torch.optim.AdamW(view.parameters(), LR, weight_decay=decay)
        for step in range(steps):
            for group in optimiser.param_groups:
                group['lr'] = LR * (1 - step / steps)
            rows = torch.randint(len(known), (BATCH,))
            noisy = x[rows] + NOISE * view.deviation * torch.randn_like(x[rows])
            wanted = known[rows] * (1 - 2 * smoothing) + smoothing
            loss = F.binary_cross_entropy_with_logits(view.train()(noisy), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            view.scale.copy_(1 / view.eval()(x).std())
    return head.eval()


@torch.no_grad()
def measure(model, head, sprites, strangers, folder, pictures, seed=0):
    """Threshold and figures: the share of pictures that each source's warning calls for, and how well they are told
    from known things, half in the art trained on and half in unseen art (AUROC)."""
    rng = np.random.default_rng((EVALUATION_SEED, seed))

    def score(drawn): return head(*(x.float() for x in look(model, drawn)))

    unseen = score([draw(sprites, rng, styles=sprites.heldout_styles)[0] for _ in range(2 * pictures)])
    trained = score([draw(sprites, rng)[0] for _ in range(pictures)])
    threshold = round(unseen[:pictures].quantile(FALSE_WARNINGS).item(), 3)
    known = torch.cat([trained, unseen[pictures:]])
    outside = {f'drawings: {source}': score([strangers.picture(rng, source) for _ in range(pictures // 2)])
               for source in dict.fromkeys(strangers.sources)}
    for part in sorted(path for path in Path(folder).glob('*') if path.is_dir()):
        photographs = Photographs.below(part)
        outside[part.name] = score([photographs.picture(rng) for _ in range(pictures // 2)])
    outside |= {name: score([make(rng) for _ in range(pictures // 4)]) for name, make in DRAWN.items()}
    kinds = {'photographs': [s for name, s in outside.items() if name.startswith('photographs')],
             'drawings': [s for name, s in outside.items() if name.startswith('drawings')]}
    outside = {**{f'all {kind}': torch.cat(scores) for kind, scores in kinds.items() if scores}, **outside}
    return {'threshold': threshold, 'quality': {
        'false_warnings': {'trained_art': share(trained < threshold),
                           'unseen_art': share(unseen[pictures:] < threshold)},
        'auroc': {name: round(auroc(known, scores), 4) for name, scores in outside.items()},
        'warned': {name: share(scores < threshold) for name, scores in outside.items()}}}


def share(truths): return round(truths.float().mean().item(), 4)


def auroc(inside, outside):
    """How often a picture inside scores above one outside."""
    gaps = inside[:, None] - outside[None]
    return ((gaps > 0).float() + .5 * (gaps == 0).float()).mean().item()
