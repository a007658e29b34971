"""The decoder of Stable Diffusion's autoencoder: latents to a picture. Module names are the keys of
`vae/diffusion_pytorch_model.*`; the encoder there is not needed."""
import re

import torch.nn.functional as F
from torch import nn

from .attention import MapAttention
from .blocks import ResidualBlock, Upsample

EPS = 1e-6
OLD_ATTENTION = {'query': 'to_q', 'key': 'to_k', 'value': 'to_v', 'proj_attn': 'to_out.0'}  # of files before 2023
OLD_NAME = re.compile(rf'(mid_block\.attentions\.0)\.({"|".join(OLD_ATTENTION)})\.')


def decoder_state(state):
    """What of a stored autoencoder (key -> anything) belongs to the decoder, under today's names; keys that are not
    known stay as they are, to be refused."""
    found = {}
    for key, value in state.items():
        if key.startswith(('encoder.', 'quant_conv.')):
            continue
        name = OLD_NAME.sub(lambda old: f'{old[1]}.{OLD_ATTENTION[old[2]]}.', key)
        if name in found:
            raise ValueError(f'vae: {name} is stored twice, under an old name too')
        found[name] = value
    return found


class Middle(nn.Module):
    def __init__(self, width, groups):
        super().__init__()
        self.attentions = nn.ModuleList([MapAttention(width, groups, EPS)])
        self.resnets = nn.ModuleList(ResidualBlock(width, width, groups, EPS) for _ in range(2))

    def forward(self, x): return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class UpLevel(nn.Module):
    def __init__(self, width_in, width, layers, groups, upsamples):
        super().__init__()
        self.resnets = nn.ModuleList(ResidualBlock(w, width, groups, EPS) for w in [width_in] + [width] * (layers - 1))
        self.upsamplers = nn.ModuleList([Upsample(width)] if upsamples else [])

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        for upsample in self.upsamplers:
            x = upsample(x, [2 * side for side in x.shape[-2:]])
        return x


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = c.channels[::-1]
        self.conv_in = nn.Conv2d(c.latent_channels, widths[0], 3, 1, 1)
        self.mid_block = Middle(widths[0], c.groups)
        self.up_blocks = nn.ModuleList(UpLevel(before, width, c.layers + 1, c.groups, upsamples=i < len(widths) - 1)
                                       for i, (before, width) in enumerate(zip(widths[:1] + widths, widths)))
        self.conv_norm_out = nn.GroupNorm(c.groups, widths[-1], EPS)
        self.conv_out = nn.Conv2d(widths[-1], c.out_channels, 3, 1, 1)

    def forward(self, x):
        x = self.mid_block(self.conv_in(x))
        for level in self.up_blocks:
            x = level(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class AutoencoderDecoder(nn.Module):
    """Latents (B, c, h, w), divided by the scaling factor -> picture (B, 3, 8h, 8w), about -1..1, not clamped."""

    def __init__(self, c):
        super().__init__()
        self.post_quant_conv = nn.Conv2d(c.latent_channels, c.latent_channels, 1)
        self.decoder = Decoder(c)

    def forward(self, latents): return self.decoder(self.post_quant_conv(latents))
