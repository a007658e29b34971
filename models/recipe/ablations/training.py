"""Trains one variant for a number of steps."""
import time
from statistics import mean, median

import torch

from networks.config import MINI

from ..loop import optimiser_of, quick, set_rate
from ..stages.language_model import LR, WEIGHTS, helping_losses, kept_prefix, painting_states, show, speaking_states
from .batches import PAINTED
from .continuous import regression_loss

LAST = 50  # steps, over which the losses at the end are averaged


def read(variant, lm, merger, batch, keep):
    """Rows of the pictures that are read (B, N, H)."""
    if batch.read is None:
        return merger(batch.features.float(), keep)
    if variant.continuous:
        return lm.in_proj(batch.read.vectors.float())
    return lm.embed(batch.read.codes[variant.selection].long() + MINI.visual_offset)


def painting(variant, lm, batch, rule):
    """The loss of pictures that are asked for."""
    kept = rule(batch.painted.scores).bool()
    counts = kept.sum(1).tolist()
    codes = torch.arange(sum(counts)) if variant.continuous else batch.painted.codes[variant.selection][kept]
    pictures = [row.tolist() for row in codes.split(counts)]
    prompts = show(batch.prompts, batch.shown, pictures[PAINTED:])
    if variant.continuous:
        return regression_loss(lm, prompts, pictures[:PAINTED], batch.painted.vectors[kept].float())
    return lm.cross_entropy(*painting_states(lm, prompts, pictures[:PAINTED]))


def loss_of(variant, modules, rule, names, batch):
    lm, merger, reader = modules.values()
    keep = rule(batch.scores)
    picture = kept_prefix(lm, read(variant, lm, merger, batch, keep), keep)
    *spoken, halfway = speaking_states(lm, picture, batch.said)
    meaning, fact = helping_losses(lm, reader, names, picture, batch.labels, batch.said, halfway)
    told = {'speak': lm.cross_entropy(*spoken, label_smoothing=.02), 'paint': painting(variant, lm, batch, rule),
            'meaning': meaning, 'fact': fact}
    return (sum(WEIGHTS[name] * part for name, part in told.items()),
            {name: part.item() for name, part in told.items()})


def train(variant, modules, slow, rule, names, batches, bfloat16=False):
    """Median of the processor seconds of a step (with one thread they do not count what else the machine does), and the
    losses at the end."""
    optimiser, seconds, losses = optimiser_of(modules, LR, slow=slow), [], []
    trained = [p for group in optimiser.param_groups for p in group['params']]
    for module in modules.values():
        module.train()
    for step, batch in enumerate(batches):
        clock = time.process_time()
        set_rate(optimiser, LR, step, step / len(batches))
        optimiser.zero_grad()
        with quick(bfloat16):
            loss, parts = loss_of(variant, modules, rule, names, batch)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.)
        optimiser.step()
        seconds.append(time.process_time() - clock)
        losses.append(parts)
    for module in modules.values():
        module.eval()
    last = losses[-LAST:]
    return {'seconds_per_step': median(seconds), **{f'loss_{k}': mean(parts[k] for parts in last) for k in last[0]}}


def lengths(rule, batches):
    """Tokens of a picture in training, read and written, and of the sequences they stand in."""
    read, written, reading, painting = [], [], [], []
    for batch in batches:
        seen, drawn = rule(batch.scores).sum(1), rule(batch.painted.scores).sum(1)
        said = (batch.said[1] > 0).sum(1)
        shown = iter(drawn[PAINTED:].tolist())
        prompts = [len(ids) + sum(next(shown) for _ in range(n)) for ids, n in zip(batch.prompts, batch.shown)]
        read.append(seen.mean().item())
        written.append(drawn[:PAINTED].mean().item())
        reading.append((seen + 2 + said).mean().item())
        painting.append(mean(prompts) + 2 + written[-1])
    return {'read_tokens': mean(read), 'written_tokens': mean(written), 'reading_length': mean(reading),
            'painting_length': mean(painting)}
