"""An independent judge of painted pictures: a small CNN that knows only sprites, never the model's features."""
import torch
import torch.nn.functional as F
from torch import nn

from networks.visual_tokenizer import ConvResidual, conv

from ..data.batches import heldout, measured, to_planes
from ..data.scenes import GROUND_NAMES, Sprites, draw
from ..loop import run

BATCH = 64
SIZE = 64


class Judge(nn.Module):
    """Pictures -1..1 of any size (B, 3, S, S) -> scores of single concepts (B, concepts) and grounds (B, grounds)."""

    def __init__(self, concepts):
        super().__init__()
        self.body = nn.Sequential(conv(3, 24, 5, 2), conv(24, 48, 3, 2), ConvResidual(48), conv(48, 96, 3, 2),
                                  ConvResidual(96), conv(96, 160, 3, 2), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                                  nn.Dropout(.2))
        self.concept, self.ground = nn.Linear(640, concepts), nn.Linear(640, len(GROUND_NAMES))

    def forward(self, x):
        h = self.body(small(x))
        return self.concept(h), self.ground(h)


def small(x):
    return x if x.shape[-1] == SIZE else F.interpolate(x, size=SIZE, mode='bilinear', antialias=True)


def house_single(sprites, rng):
    return draw(sprites, rng, styles=[sprites.house], plain=rng.random() < .6, count=1)


def make(sprites, rng):
    pictures, scenes = zip(*(house_single(sprites, rng) for _ in range(BATCH)))
    return to_planes(pictures), *answers(scenes)


def answers(scenes):
    return (torch.tensor([s.concepts[0] for s in scenes]),
            torch.tensor([GROUND_NAMES.index(s.ground) for s in scenes]))


def main(args):
    judge = Judge(args.concepts).to(memory_format=torch.channels_last)
    sprites = Sprites(args.sprites, args.concepts)
    pixels, scenes = heldout(sprites, measured(args, 600), seed=2, styles=[sprites.house], plain=True, count=1)

    def loss_of(batch, progress):
        x, concept, ground = small(batch[0].float() / 127.5 - 1), *batch[1:]
        if torch.rand(()) < .4:  # painted pictures are soft: sharpness must not matter
            side = int(torch.randint(28, 60, ()))
            x = small(F.interpolate(x, size=side, mode='bilinear', antialias=True))
        if torch.rand(()) < .5:
            x = x + torch.randn_like(x) * .08
        guess, plain = judge(x)
        loss = F.cross_entropy(guess, concept, label_smoothing=.05)
        return loss + .2 * F.cross_entropy(plain, ground), {'concept': loss}

    def evaluate():
        concept, ground = answers(scenes)
        guess, plain = judge(pixels.float() / 127.5 - 1)
        return {'concept_right': (guess.argmax(-1) == concept).float().mean().item(),
                'ground_right': (plain.argmax(-1) == ground).float().mean().item()}

    run(args, 'judge', {'judge': judge}, make, loss_of, evaluate, lr=2e-3, seed=2, every=60)
