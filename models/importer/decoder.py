"""The two official tokenizer decoders: reconstructed features, and what the pixel decoder takes in their place.

Source: the official `modeling_decoder`. B pictures, N patches, D width.
"""
import torch
from torch import nn

from networks.visual_tokenizer import TokenizerDecoder, join_heads, split_heads


class LowresDecoder(TokenizerDecoder):
    """Code vectors (B, K, code_dim), mask (B, K) -> condition (B, N, C) of a Stable Diffusion 1.5 U-Net."""

    def __init__(self, encoder, c, condition_dim):
        super().__init__(encoder, c)
        self.unet_proj = nn.Linear(encoder.width, condition_dim)
        self.widths = [condition_dim]

    def forward(self, vectors, mask): return self.unet_proj(super().forward(vectors, mask))


class AttentionPool(nn.Module):
    """Rows (B, N, D) -> (B, out), CLIP's way: their mean attends to itself and to all of them."""

    def __init__(self, width, patches, heads, out):
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.zeros(1 + patches, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, out)

    def forward(self, x):
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        q, k, v = (split_heads(t, self.heads) for t in (self.q_proj(x[:, :1]), self.k_proj(x), self.v_proj(x)))
        weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -.5).softmax(-1)
        return self.c_proj(join_heads(weights @ v))[:, 0]


class HighresDecoder(TokenizerDecoder):
    """Code vectors (B, K, code_dim), mask (B, K) -> condition (B, N, C1 + C2) and pooled (B, C2) of an SDXL U-Net."""

    outputs = ['condition', 'pooled']

    def __init__(self, encoder, c, first_dim, second_dim):
        super().__init__(encoder, c)
        self.unet_proj_1 = nn.Linear(encoder.width, first_dim)
        self.unet_proj_2 = nn.Linear(encoder.width, second_dim)
        self.widths = [first_dim + second_dim, second_dim]
        self.unet_attnpool = AttentionPool(encoder.width, encoder.patches, c.heads, second_dim)

    def forward(self, vectors, mask):
        r = super().forward(vectors, mask)
        return torch.cat([self.unet_proj_1(r), self.unet_proj_2(r)], -1), self.unet_attnpool(r)
