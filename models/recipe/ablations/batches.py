"""Batches as the frozen tokenizer sees them, drawn once for each seed and shared by all variants."""
import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from ..stages.language_model import DISCRETE, make

READ, PAINTED = 3, 12   # pictures of a batch that are read, and that are painted


@dataclass
class Tokens:
    """Keep probabilities (B, N), codes (B, N) by each selection, and the vectors (B, N, code_dim) that the dynamic one
    rounds."""
    scores: torch.Tensor
    codes: dict
    vectors: torch.Tensor


@dataclass
class Batch:
    features: torch.Tensor  # (B, N, D) of pictures that are read
    scores: torch.Tensor    # (B, N), as in `Tokens`
    read: Tokens | None     # of batches whose pictures are read by their codes
    labels: torch.Tensor    # (B, N)
    said: list              # see `lay_out`
    prompts: list
    painted: Tokens         # pictures asked for, then those that prompts show
    shown: list             # how many each prompt shows


@torch.no_grad()
def tokens(eyes, features, scores, rules):
    projected = {name: eyes.tokenizer.project(features, rule(scores)) for name, rule in rules.items()}
    return Tokens(scores, {name: eyes.tokenizer.quantize.codes(z).int() for name, z in projected.items()},
                  projected['dynamic'].half())


def batch(eyes, sentences, sprites, rules, seed, step):
    """It depends on seed and step alone."""
    rng = np.random.default_rng((seed, step))
    seen, labels, said, prompts, pictures, shown = make(sentences, sprites, rng, READ, PAINTED)
    features, scores = eyes.score(seen)
    read = tokens(eyes, features, scores, rules) if rng.random() < DISCRETE else None
    return Batch(features.half(), scores, read, labels, said, prompts, tokens(eyes, *eyes.score(pictures), rules),
                 shown)


def all_batches(folder, eyes, sentences, sprites, rules, seed, steps, name):
    """From the folder if they were drawn before."""
    path = folder / f'{name}-{seed}.pt'
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = [batch(eyes, sentences, sprites, rules, seed, step) for step in range(steps)]
        part = path.with_suffix('.part')
        torch.save(drawn, part)
        part.rename(path)
    return torch.load(path, mmap=True, weights_only=False)


def usual_count(eyes, sentences, sprites, batches=12):
    """How many patches the dynamic selection keeps on average of pictures trained on, rounded."""
    kept = []
    for step in range(batches):
        seen, _, _, _, pictures, _ = make(sentences, sprites, np.random.default_rng((0, step)), READ, PAINTED)
        kept += [eyes.see(group)[1].sum(1) for group in (seen, pictures)]
    return round(torch.cat(kept).mean().item())


def digest(*modules):
    """Names weights, as they are stored, in fp16."""
    sha = hashlib.sha256()
    for module in modules:
        for value in module.state_dict().values():
            sha.update(value.half().contiguous().numpy().tobytes())
    return sha.hexdigest()[:12]
