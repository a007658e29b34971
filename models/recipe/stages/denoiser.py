"""Stage 5: the denoiser learns the straight flow from noise to picture, given the painter's picture and the features
that the codes were decoded to. A tenth of the conditions are empty, for guidance."""
import torch

from networks.config import MINI
from networks.pixel_decoder import Denoiser

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import Sprites, draw
from ..loop import load, run
from .judge import Judge, answers
from .language_model import Eyes
from .tokenizer import decode, picture_of

BATCH, STEPS = 24, 6


def make(sprites, rng):
    return to_planes([draw(sprites, rng, styles=[sprites.house], plain=rng.random() < .6,
                           counts=(.6, .16, .12, .12))[0] for _ in range(BATCH)])


@torch.no_grad()
def condition_of(eyes, pixels):
    """Pixels -> decoded features (B, N, D) and the painter's picture."""
    features, keep = eyes.see(pixels)
    rebuilt = decode(eyes.tokenizer, eyes.decoder, keep, eyes.tokenizer(features, keep))
    return rebuilt, eyes.painter(rebuilt).clamp(-1, 1)


def refine(denoiser, condition, picture, noise, steps=STEPS):
    """Euler steps along the flow."""
    x = noise
    for i in range(steps):
        x = x + denoiser(x, torch.full((len(x),), i / steps), condition, picture) / steps
    return x


def main(args):
    sprites = Sprites(args.sprites, args.concepts)
    eyes, judge = Eyes.of_runs(args, sprites), Judge(args.concepts)
    denoiser = Denoiser(MINI.encoder, MINI.pixel_decoder)
    load(args, 'judge', judge=judge)
    size = MINI.pixel_decoder.picture_size
    pixels, scenes = heldout(sprites, measured(args, 150), seed=8, styles=[sprites.house], plain=True, count=1)

    def loss_of(batch, progress):
        condition, picture = condition_of(eyes, batch)
        given = (torch.rand(len(batch)) > .1).float()
        condition, picture = condition * given[:, None, None], picture * given[:, None, None, None]
        target = picture_of(batch, size)
        noise, t = torch.randn_like(target), torch.rand(len(batch)) * .98
        at = t[:, None, None, None]
        velocity = denoiser((1 - at) * noise + at * target, t, condition, picture)
        loss = ((1 - at) * (velocity - (target - noise))).pow(2).mean()  # the gap at the end of the way
        return loss, {'end': loss}

    def evaluate():
        condition, picture = condition_of(eyes, pixels)
        noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
        refined, target = refine(denoiser, condition, picture, noise), picture_of(pixels, size)
        concept, _ = answers(scenes)
        return {'judged_painter': (judge(picture)[0].argmax(-1) == concept).float().mean().item(),
                'judged_refined': (judge(refined.clamp(-1, 1))[0].argmax(-1) == concept).float().mean().item(),
                'gap_painter': (picture - target).abs().mean().item(),
                'gap_refined': (refined - target).abs().mean().item()}

    run(args, 'denoiser', {'denoiser': denoiser}, make, loss_of, evaluate, lr=1e-3, seed=5, every=120)
