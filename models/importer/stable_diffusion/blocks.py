"""Convolutional blocks that the U-Net and the autoencoder share. Module names are the checkpoint's keys."""
import torch.nn.functional as F
from torch import nn


class ResidualBlock(nn.Module):
    """x (B, in, h, w), and the time embedding (B, T) where the network has one -> (B, out, h, w)."""

    def __init__(self, channels_in, channels_out, groups, eps, time_width=0):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, channels_in, eps), nn.Conv2d(channels_in, channels_out, 3, 1, 1)
        self.time_emb_proj = nn.Linear(time_width, channels_out) if time_width else None
        self.norm2, self.conv2 = nn.GroupNorm(groups, channels_out, eps), nn.Conv2d(channels_out, channels_out, 3, 1, 1)
        self.conv_shortcut = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else None

    def forward(self, x, time=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.time_emb_proj is not None:
            h = h + self.time_emb_proj(F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 2, 1)

    def forward(self, x): return self.conv(x)


class Upsample(nn.Module):
    """To a size of about twice: that of the level above, which may be odd."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x, size): return self.conv(F.interpolate(x, size=size, mode='nearest'))
