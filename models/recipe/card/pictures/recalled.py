"""What the painter recalls of the things that it knows."""
import torch

from .sheet import grid, heading, image_of, side_of

ACROSS, SHADE = 20, .75   # the ground under things, in 0..1


def recalled(painter):
    pictures = painter.recall.pictures.detach()
    colours, opacity = pictures.split((3, 1), 1)
    shown = torch.clamp(colours + SHADE * (1 - opacity), 0, 1) * 2 - 1
    side = side_of(ACROSS)
    return [heading(f'What the painter recalls: {len(pictures)} things, {pictures.shape[-1]} x {pictures.shape[-1]}',
                    'Learnt from scenes like all other weights, with an opacity for each point.'),
            grid([image_of(one, side) for one in shown], ACROSS)]
