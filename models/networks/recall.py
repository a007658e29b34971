"""What known things look like, for the painter to recall: a small picture of each, learnt like all other weights.

Patches say which thing they belong to, where its middle lies and how large it is; those that agree on a middle say it
together, so that a thing is one and whole. Each then lays its part of the recalled picture over its surroundings. After
Blattmann et al. 2022, "Retrieval-Augmented Diffusion Models", with the patches' words in place of a search.
"""
import torch
import torch.nn.functional as F
from torch import nn

NEAR, ROUNDS = .08, 3  # middles as far apart as this, as a share of the picture's side, are likely those of one thing
LEAST = .1  # side of a thing


class Recall(nn.Module):
    """States of patches (B, N, W) and their features (B, N, D) -> what they recall, as planes (B, 4, S, S) of colours
    0..1 times opacity, and opacity."""

    def __init__(self, encoder, c, things):
        super().__init__()
        grid = encoder.grid
        self.grid, self.size = grid, c.picture_size
        self.pictures = nn.Parameter(torch.zeros(things, 4, c.recalled_size, c.recalled_size))
        self.thing, self.place = nn.Linear(encoder.width, things), nn.Linear(c.width, 4)
        middles = (torch.arange(grid) + .5) / grid
        self.register_buffer('middles', torch.stack(torch.meshgrid(middles, middles, indexing='xy'), -1).flatten(0, 1),
                             persistent=False)

    def forward(self, x, features):
        return self.lay(*self.agree(*self.find(x, features)))

    def find(self, x, features):
        """What each patch says for itself: scores of all things (B, N, T), boxes (B, N, 3) of the middle's x and y and
        the side as shares of the picture's, and how surely it shows a thing at all (B, N), in log-odds."""
        told = self.place(x).float()
        boxes = torch.cat([self.middles + told[..., :2], .5 + told[..., 2:3]], -1)
        return self.thing(features).float(), boxes, told[..., 3]

    def agree(self, scores, boxes, shown):
        """Scores and boxes of all that speak of about the same middle, the surer the more; and how far each patch is
        borne out by another one (B, N), 0 to 1. Patches move towards each other a few times (mean shift)."""
        sure = F.logsigmoid(shown)[:, None]
        for _ in range(ROUNDS):
            gaps = (boxes[:, :, None, :2] - boxes[:, None, :, :2]).square().sum(-1)
            told = sure - gaps / (2 * NEAR ** 2)
            boxes = (told.softmax(-1)[..., None] * boxes[:, None]).sum(2)
        return told.softmax(-1) @ scores, boxes, (told.exp().sum(-1) - 1).clamp(0, 1)

    def lay(self, scores, boxes, borne_out):
        """Each patch lays what it recalls over itself and half a patch around it, and more the nearer the middle; of
        what lies over each other the more opaque counts more. Outlines stay as steep as before they were enlarged."""
        look = self.pictures[scores.argmax(-1)].clamp(0, 1) * borne_out[..., None, None, None]
        patch, centre = self.size // self.grid, self.middles
        pixels = (torch.arange(2 * patch, device=boxes.device) + .5 - patch) / self.size
        down, across = (centre[:, axis, None] + pixels for axis in (1, 0))
        look = lattice(across, boxes[..., 0, None], boxes[..., 2, None], look.shape[-1])[:, :, None] @ look.mT
        look = lattice(down, boxes[..., 1, None], boxes[..., 2, None], look.shape[-1])[:, :, None] @ look.mT
        near = 1 - ((torch.arange(2 * patch, device=boxes.device) + .5) / patch - 1).abs()
        colours, opacity = look.split((3, 1), 2)
        enlarged = (boxes[..., 2] * self.size / self.pictures.shape[-1]).clamp(min=1)[..., None, None, None]
        outline = ((opacity - .5) * enlarged + .5).clamp(0, 1)
        colours, opacity = colours / opacity.clamp(min=.02) * outline, outline
        weighed = near * near[:, None] * torch.cat([colours, opacity, opacity.square()], 2)
        colours, opacity, squares = overlay(weighed, self.grid).split((3, 1, 1), 1)
        share = squares / opacity.square().clamp(min=1e-4)
        return torch.cat([colours * share, opacity * share], 1)


def lattice(places, middle, side, count):
    """What each of `count` samples across a box, of this middle and side, counts at these places (.., P) of the
    picture: (.., P, count), by linear interpolation, and nothing beside the box."""
    at = ((places - middle) / side.clamp(min=LEAST) + .5) * count - .5
    return (1 - (at[..., None] - torch.arange(count, device=places.device)).abs()).clamp(min=0)


def overlay(windows, grid):
    """The sum of windows (B, N, C, 2P, 2P), each over its patch and half a patch around it: (B, C, grid * P, ..)."""
    patch = windows.shape[-1] // 2
    quarters = windows.unflatten(-1, (2, patch)).unflatten(-3, (2, patch)).unflatten(1, (grid, grid))
    planes = quarters.permute(0, 3, 4, 6, 1, 5, 2, 7).flatten(6, 7).flatten(4, 5)   # (B, C, 2, 2, grid * P, grid * P)
    whole = sum(F.pad(planes[:, :, a, b], (b * patch, (1 - b) * patch, a * patch, (1 - a) * patch))
                for a in (0, 1) for b in (0, 1))
    half = patch // 2
    return whole[..., half:-half, half:-half]
