"""Scenes by the batch: endless ones to train on, and freshly drawn ones to measure with."""
import numpy as np
import torch
from torch.utils.data import IterableDataset

from .scenes import Sprites, draw

EVALUATION_SEED = 1_000_003  # scenes drawn from here on are never trained on


class Batches(IterableDataset):
    """Endless batches `make(sprites, rng)`; batch k depends on (seed, k) alone."""

    def __init__(self, make, sprites_folder, concepts, seed, start, stride):
        self.make, self.folder, self.concepts, self.seed = make, sprites_folder, concepts, seed
        self.start, self.stride = start, stride

    def __iter__(self):
        torch.set_num_threads(1)
        sprites = Sprites(self.folder, self.concepts)
        step = self.start
        while True:
            yield self.make(sprites, np.random.default_rng((self.seed, step)))
            step += self.stride


def to_planes(pictures):
    """Pictures (S, S, 3) -> uint8 (B, 3, S, S)."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def measured(args, pictures):
    """How many held-out pictures are measured where `pictures` are usual."""
    return max(8, round(pictures * args.measure))


def heldout(sprites, pictures, seed=0, **options):
    """Freshly drawn scenes for evaluation: uint8 (B, 3, S, S) and their facts."""
    rng = np.random.default_rng((EVALUATION_SEED, seed))
    drawn, scenes = zip(*(draw(sprites, rng, **options) for _ in range(pictures)))
    return to_planes(drawn), list(scenes)
