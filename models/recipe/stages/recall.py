"""What the painter recalls of things: learnt from scenes of the house style, given where which thing stands."""
import numpy as np
import torch
import torch.nn.functional as F

from networks.recall import lattice

from ..data.batches import to_planes
from ..data.scenes import MOST_OBJECTS, NO_OBJECT, draw

STEPS, BATCH, LR = 1500, 24, .03
COUNTS = .1, .2, .2, .5


def learn_pictures(recall, sprites, effort=1., seed=14):
    """Draws scenes and fits `recall.pictures` to them: least squares of things laid over plain grounds. `effort`: share
    of the usual steps."""
    rng, pictures, steps = np.random.default_rng(seed), recall.pictures, max(1, round(effort * STEPS))
    pictures.requires_grad_(True)
    optimiser = torch.optim.Adam([pictures], LR, betas=(.5, .98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        drawn, scenes = zip(*(draw(sprites, rng, styles=[sprites.house], plain=True, counts=COUNTS)
                              for _ in range(BATCH)))
        true, (labels, boxes) = to_planes(drawn) / 255, places_of(scenes)
        loss = F.mse_loss(laid(pictures, boxes, ground_of(true, labels), true.shape[-1]), true)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 0:
            print(f'recall: step {step} of {steps}, {loss.item():.3g}', flush=True)
    with torch.no_grad():
        pictures.clamp_(0, 1)


def laid(pictures, boxes, under, size):
    """Things at boxes (B, K, 4) laid over a ground (B, 3, 1, 1) one after the other: (B, 3, size, size) in 0..1."""
    pixels = (torch.arange(size) + .5) / size
    for x, y, side, thing in (box.unbind(-1) for box in boxes.unbind(1)):
        look = pictures[thing.long().clamp(min=0)] * (thing != NO_OBJECT)[:, None, None, None]
        down, across = (lattice(pixels, middle[:, None], side[:, None], look.shape[-1])[:, None] for middle in (y, x))
        colours, opacity = (down @ look @ across.mT).split((3, 1), 1)
        under = under * (1 - opacity) + colours
    return under


def ground_of(true, labels):
    """The colour of plain grounds (B, 3, 1, 1): the median over all patches that show nothing."""
    grid = round(labels.shape[1] ** .5)
    empty = F.interpolate((labels == NO_OBJECT).float().unflatten(1, (1, grid, grid)), size=true.shape[-1])[:, 0] > 0
    return torch.stack([picture[:, where].median(-1).values for picture, where in zip(true, empty)])[..., None, None]


def places_of(scenes):
    """Patch labels (B, N), and boxes with their concepts (B, K, 4): x, y, side, concept, or NO_OBJECT where there are
    fewer."""
    boxes = torch.full((len(scenes), MOST_OBJECTS, 4), float(NO_OBJECT))
    for row, scene in zip(boxes, scenes):
        row[:len(scene.boxes)] = torch.tensor([(*box, concept) for box, concept in zip(scene.boxes, scene.concepts)])
    return torch.stack([torch.from_numpy(scene.labels).flatten() for scene in scenes]), boxes
