"""The conditional U-Net of Stable Diffusion 1.5 and XL: noise in a latent, given its timestep and a condition.

Module names are the keys of `unet/diffusion_pytorch_model.*`. Sizes of 1.5: arXiv 2112.10752; of XL: arXiv 2307.01952.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from .attention import SpatialTransformer
from .blocks import Downsample, ResidualBlock, Upsample


def sinusoids(t, width):
    """t (...) -> (..., width): cosines, then sines."""
    half = width // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, dtype=t.dtype, device=t.device) / half)
    angles = t[..., None] * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class Embedding(nn.Module):
    def __init__(self, width, time_width):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(width, time_width), nn.Linear(time_width, time_width)

    def forward(self, x): return self.linear_2(F.silu(self.linear_1(x)))


class Level(nn.Module):
    """Residual blocks at one resolution, each followed by a transformer where the level attends."""

    def __init__(self, c, level, widths_in):
        super().__init__()
        width, attending = c.channels[level], c.attending[level]
        self.resnets = nn.ModuleList(ResidualBlock(w, width, c.groups, c.norm_eps, c.time_width) for w in widths_in)
        self.attentions = nn.ModuleList(SpatialTransformer(width, c.heads[level], c.transformer_layers[level], c)
                                        for _ in widths_in if attending)

    def layer(self, i, x, time, condition, bias):
        x = self.resnets[i](x, time)
        return self.attentions[i](x, condition, bias) if self.attentions else x


class DownLevel(Level):
    def __init__(self, c, level):
        width = c.channels[level]
        super().__init__(c, level, [c.channels[max(level - 1, 0)]] + [width] * (c.layers - 1))
        last = level == len(c.channels) - 1
        self.downsamplers = nn.ModuleList([] if last else [Downsample(width)])

    def forward(self, x, skips, *told):
        for i in range(len(self.resnets)):
            x = self.layer(i, x, *told)
            skips.append(x)
        for downsample in self.downsamplers:
            x = downsample(x)
            skips.append(x)
        return x


class MiddleLevel(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c.channels[-1]
        self.attentions = nn.ModuleList([SpatialTransformer(width, c.heads[-1], c.transformer_layers[-1], c)])
        self.resnets = nn.ModuleList(ResidualBlock(width, width, c.groups, c.norm_eps, c.time_width) for _ in range(2))

    def forward(self, x, time, condition, bias):
        return self.resnets[1](self.attentions[0](self.resnets[0](x, time), condition, bias), time)


class UpLevel(Level):
    """Each block gets, beside its input, what the way down had left at this place."""

    def __init__(self, c, level):
        width, above = c.channels[level], c.channels[max(level - 1, 0)]
        below = c.channels[min(level + 1, len(c.channels) - 1)]
        inputs, skips = [below] + [width] * c.layers, [width] * c.layers + [above]
        super().__init__(c, level, [w + s for w, s in zip(inputs, skips)])
        self.upsamplers = nn.ModuleList([Upsample(width)] if level > 0 else [])

    def forward(self, x, skips, *told):
        for i in range(len(self.resnets)):
            x = self.layer(i, torch.cat([x, skips.pop()], 1), *told)
        for upsample in self.upsamplers:
            x = upsample(x, skips[-1].shape[-2:])
        return x


class Unet(nn.Module):
    """Latents (B, c, h, w), timestep (B), condition (B, N, C), additive bias of its rows (B, 1, 1, N) or none, pooled
    condition (B, E) and time ids (6), for XL -> predicted noise (B, c, h, w)."""

    def __init__(self, c):
        super().__init__()
        self.config, first, levels = c, c.channels[0], len(c.channels)
        self.conv_in = nn.Conv2d(c.in_channels, first, 3, 1, 1)
        self.time_embedding = Embedding(first, c.time_width)
        self.add_embedding = Embedding(c.pooled_width + 6 * c.time_id_width, c.time_width) if c.pooled_width else None
        self.down_blocks = nn.ModuleList(DownLevel(c, level) for level in range(levels))
        self.mid_block = MiddleLevel(c)
        self.up_blocks = nn.ModuleList(UpLevel(c, level) for level in reversed(range(levels)))
        self.conv_norm_out = nn.GroupNorm(c.groups, first, c.norm_eps)
        self.conv_out = nn.Conv2d(first, c.out_channels, 3, 1, 1)

    def forward(self, latents, timestep, condition, bias=None, pooled=None, time_ids=None):
        time = self.time_embedding(sinusoids(timestep, self.config.channels[0]))
        if self.add_embedding is not None:
            ids = sinusoids(time_ids, self.config.time_id_width).flatten().expand(pooled.shape[0], -1)
            time = time + self.add_embedding(torch.cat([pooled, ids], -1))
        x = self.conv_in(latents)
        skips = [x]
        for level in self.down_blocks:
            x = level(x, skips, time, condition, bias)
        x = self.mid_block(x, time, condition, bias)
        for level in self.up_blocks:
            x = level(x, skips, time, condition, bias)
        return self.conv_out(F.silu(self.conv_norm_out(x)))
