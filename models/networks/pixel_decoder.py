"""The pixel decoder of the embedded model: a painter that gives the picture at once, and a denoiser that refines it.

The official one is a diffusion U-Net on the reconstructed features (LaVIT section 3.1, equation 5). At this size the
painter carries the picture, and the denoiser is a few-step flow from noise to it, conditioned on painter and features.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from .recall import Recall
from .visual_tokenizer import Mlp, SelfAttention


class PainterBlock(nn.Module):
    def __init__(self, width, heads=4):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = SelfAttention(width, heads), Mlp(width, 4 * width)
        nn.init.zeros_(self.attn.proj.weight)
        nn.init.zeros_(self.mlp.fc2.weight)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, channels), nn.GroupNorm(8, channels)
        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x): return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Finer(nn.Module):
    """(B, before, s, s) -> (B, after, times * s, times * s): enlarged smoothly, then seen to by convolutions. Places
    are never dealt out of channels, which would weave a pattern in their rhythm."""

    def __init__(self, before, after, times, residuals):
        super().__init__()
        self.times, self.mix = times, nn.Conv2d(before, after, 1)
        self.refine = nn.Sequential(*(Residual(after) for _ in range(residuals)))

    def forward(self, x, beside=0):
        """`beside` (B, after, times * s, times * s) is added before the convolutions."""
        return self.refine(F.interpolate(self.mix(x), scale_factor=self.times, mode='bilinear') + beside)


class Painter(nn.Module):
    """Reconstructed features (B, N, D) -> picture (B, 3, S, S) about -1..1, S a multiple of 4 * grid: a ground, what is
    recalled of known things over it, and what convolutions that see both change of that."""

    def __init__(self, encoder, c, things):
        super().__init__()
        self.grid = encoder.grid
        self.in_proj = nn.Linear(encoder.width, c.width)
        self.pos_embed = nn.Parameter(torch.randn(1, encoder.patches, c.width) * .02)
        self.blocks = nn.ModuleList(PainterBlock(c.width) for _ in range(c.depth))
        self.norm = nn.LayerNorm(c.width)
        first, second, third = c.channels
        self.finer = nn.ModuleList((Finer(c.width, first, c.picture_size // (4 * encoder.grid), 2),
                                    Finer(first, second, 2, 1), Finer(second, third, 2, 1)))
        self.recall = Recall(encoder, c, things)
        self.touch = nn.Conv2d(4, third, 3, 1, 1)
        self.out = nn.Sequential(nn.GroupNorm(8, third), nn.SiLU(), nn.Conv2d(third, 6, 3, 1, 1))
        nn.init.zeros_(self.touch.weight)
        nn.init.zeros_(self.out[-1].weight[3:])
        nn.init.zeros_(self.out[-1].bias[3:])

    def forward(self, features):
        x = self.see(features)
        return self.paint(x, self.recall(x, features))

    def see(self, features):
        x = self.in_proj(features) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def paint(self, x, recalled):
        planes = x.transpose(1, 2).unflatten(2, (self.grid, self.grid)).contiguous()
        for finer, beside in zip(self.finer, (0, 0, self.touch(recalled))):
            planes = finer(planes, beside)
        ground, change = self.out(planes).split(3, 1)
        colours, opacity = recalled.split((3, 1), 1)
        return ground * (1 - opacity) + 2 * colours - opacity + change


class TimedResidual(nn.Module):
    def __init__(self, channels, time_width):
        super().__init__()
        self.body, self.shift = Residual(channels), nn.Linear(time_width, channels)

    def forward(self, x, time): return self.body(x + self.shift(time)[:, :, None, None])


def time_embedding(t, width):
    """t (B) in 0..1 -> (B, width)."""
    rates = torch.exp(-math.log(10000) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t[:, None] * 1000 * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class Denoiser(nn.Module):
    """Velocity (B, 3, h, w) of a noisy picture, given its time, the features and the painter's picture: towards that
    picture and what the network adds to it. It works at a quarter of the size."""

    def __init__(self, encoder, c, shrink=4):
        super().__init__()
        width = c.denoiser_width
        self.grid, self.shrink, self.time_width = encoder.grid, shrink, width
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.condition = nn.Linear(encoder.width, width)
        self.start = nn.Conv2d(6 * shrink ** 2, width, 3, 1, 1)
        self.high1, self.high2 = TimedResidual(width, width), TimedResidual(width, width)
        self.down = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.low1, self.low2 = TimedResidual(2 * width, width), TimedResidual(2 * width, width)
        self.up = nn.Conv2d(2 * width, 4 * width, 1)
        self.high3, self.high4 = TimedResidual(width, width), TimedResidual(width, width)
        self.out = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 3 * shrink ** 2, 3, 1, 1))
        nn.init.zeros_(self.out[-1].weight)

    def forward(self, latents, timestep, condition, picture):
        time = self.time(time_embedding(timestep, self.time_width))
        x = self.start(F.pixel_unshuffle(torch.cat([latents, picture], 1), self.shrink))
        grid = self.condition(condition).transpose(1, 2).unflatten(2, (self.grid, self.grid))
        x = x + F.interpolate(grid, size=x.shape[-2:], mode='nearest')
        skip = self.high2(self.high1(x, time), time)
        low = self.low2(self.low1(self.down(skip), time), time)
        x = skip + F.pixel_shuffle(self.up(low), 2)
        added = F.pixel_shuffle(self.out(self.high4(self.high3(x, time), time)), self.shrink)
        return (picture + added - latents) / (1 - timestep)[:, None, None, None].clamp(min=.01)
