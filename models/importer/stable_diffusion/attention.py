"""Attention over the places of a feature map and over the condition."""
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """x (B, Q, W), context (B, N, C), additive bias (B, 1, 1, N) or none -> (B, Q, W)."""

    def __init__(self, width, context_width, heads, bias=False):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias)
        self.to_k, self.to_v = (nn.Linear(context_width, width, bias) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x, context, bias=None):
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for t in (self.to_q(x), self.to_k(context), self.to_v(context)))
        return self.to_out[0](F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).flatten(2))


class GatedGelu(nn.Module):
    """GEGLU (arXiv 2002.05202): the second half of the projection is the gate."""

    def __init__(self, width, hidden):
        super().__init__()
        self.proj = nn.Linear(width, 2 * hidden)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(GatedGelu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x): return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, condition_width):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1, self.attn2 = Attention(width, width, heads), Attention(width, condition_width, heads)
        self.ff = FeedForward(width)

    def forward(self, x, condition, bias):
        own = self.norm1(x)
        x = x + self.attn1(own, own)
        x = x + self.attn2(self.norm2(x), condition, bias)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """x (B, W, h, w) -> the same, every place having looked at the others and at the condition (B, N, C)."""

    def __init__(self, width, heads, depth, c):
        super().__init__()
        self.norm = nn.GroupNorm(c.groups, width, 1e-6)
        self.proj_in, self.proj_out = (nn.Linear(width, width) if c.linear_projection else nn.Conv2d(width, width, 1)
                                       for _ in range(2))
        self.transformer_blocks = nn.ModuleList(TransformerBlock(width, heads, c.condition_width) for _ in range(depth))
        self.linear = c.linear_projection

    def forward(self, x, condition, bias):
        size = x.shape[-2:]
        h = self.norm(x)
        h = self.proj_in(as_rows(h)) if self.linear else as_rows(self.proj_in(h))
        for block in self.transformer_blocks:
            h = block(h, condition, bias)
        h = as_map(self.proj_out(h), size) if self.linear else self.proj_out(as_map(h, size))
        return x + h


class MapAttention(Attention):
    """Self-attention of the autoencoder: one head over all places of x (B, W, h, w)."""

    def __init__(self, width, groups, eps):
        super().__init__(width, width, heads=1, bias=True)
        self.group_norm = nn.GroupNorm(groups, width, eps)

    def forward(self, x):
        rows = as_rows(self.group_norm(x))
        return x + as_map(super().forward(rows, rows), x.shape[-2:])


def as_rows(x): return x.flatten(2).transpose(1, 2)


def as_map(x, size): return x.transpose(1, 2).unflatten(2, size)
