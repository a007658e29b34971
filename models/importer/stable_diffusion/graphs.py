"""The two graphs of an official pixel decoder as the server runs them, and its part of the manifest: `pixel_decoding`
(Stable Diffusion 1.5, lowres) and `highres_pixel_decoding` (XL) of a LaVIT checkpoint.

Modules come without weights, on the meta device. Their state is that of the files: the autoencoder's by
`decoder_state`, the U-Net's with `unet.` before each key, and for lowres the tensor of `uncond_embeddings.bin` as
`unconditional`.
"""
import torch
import torch.nn.functional as F
from torch import nn

from packager.graphs import BATCH

from .autoencoder import AutoencoderDecoder
from .unet import Unet

HEIGHT, WIDTH = (torch.export.Dim(name, min=8, max=1024) for name in ('height', 'width'))
MASKED = -10000.
MAX_STEPS = 100

LOWRES_SIZES = ['512x512']
HIGHRES_SIZES = ['1024x1024', '1152x896', '1216x832', '1344x768', '832x1216', '896x1152', '1024x576']


class LowresDenoiser(nn.Module):
    """Latents (B, c, h, w), timestep (B), condition (B, N, C), conditional (B) -> predicted noise (B, c, h, w).

    Where `conditional` is 0 the stored unconditional embedding (1, n, C) takes the place of the condition: its n rows,
    then zeros that cross-attention does not see."""

    def __init__(self, unet, uncond_shape):
        super().__init__()
        self.unet, self.unconditional = unet, nn.Parameter(torch.empty(uncond_shape))

    def forward(self, latents, timestep, condition, conditional):
        rows, stored = condition.shape[1], self.unconditional.shape[1]
        without = F.pad(self.unconditional[:1], (0, 0, 0, rows - stored))
        hidden = torch.arange(rows, device=condition.device) >= stored
        conditional = conditional[:, None, None]
        condition = torch.where(conditional > .5, condition, without)
        bias = (1 - conditional[..., None]) * (hidden * MASKED)
        return self.unet(latents, timestep, condition, bias)


class HighresDenoiser(nn.Module):
    """Latents (B, c, h, w), timestep (B), condition (B, N, C), pooled (B, E) -> predicted noise (B, c, h, w).

    Six numbers tell the network the picture's original size, the corner it was cropped at and the size wanted: here
    the size of the latents' picture, uncropped."""

    def __init__(self, unet, latent_scale):
        super().__init__()
        self.unet, self.latent_scale = unet, latent_scale

    def forward(self, latents, timestep, condition, pooled):
        height, width = (latents.new_full((1,), self.latent_scale * side) for side in latents.shape[-2:])
        corner = latents.new_zeros(2)
        return self.unet(latents, timestep, condition, None, pooled, torch.cat([height, width, corner, height, width]))


def denoiser_of(c, vae, patches=256, uncond_shape=None):
    """(module, example inputs by name, output names, dynamic axes by input) for a UnetConfig. `patches`: rows of the
    condition, N; `uncond_shape`: of the tensor in `uncond_embeddings.bin`, for lowres. Raises ValueError."""
    if not c.in_channels == c.out_channels == vae.latent_channels:
        raise ValueError(f'the U-Net takes {c.in_channels} and gives {c.out_channels} channels, the autoencoder takes '
                         f'{vae.latent_channels}')
    if not c.pooled_width and not (len(uncond_shape) == 3 and uncond_shape[0] > 0 and uncond_shape[1] <= patches
                                   and uncond_shape[2] == c.condition_width):
        raise ValueError(f'uncond_embeddings.bin has shape {list(uncond_shape)}, expected at most {patches} rows of '
                         f'{c.condition_width}')
    example = {'latents': torch.randn(2, c.in_channels, 16, 24), 'timestep': torch.tensor([1., 961.]),
               'condition': torch.randn(2, patches, c.condition_width)}
    with torch.device('meta'):
        unet = Unet(c)
        module = HighresDenoiser(unet, vae.latent_scale) if c.pooled_width else LowresDenoiser(unet, uncond_shape)
    if c.pooled_width:
        example['pooled'] = torch.randn(2, c.pooled_width)
    else:
        example['conditional'] = torch.tensor([1., 0.])
    return module.eval(), example, ['prediction'], dynamic_axes(example)


def autoencoder_decoder_of(c):
    """The same for an AutoencoderConfig."""
    example = {'latents': torch.randn(2, c.latent_channels, 16, 24)}
    with torch.device('meta'):
        module = AutoencoderDecoder(c)
    return module.eval(), example, ['picture'], dynamic_axes(example)


def dynamic_axes(example):
    return {name: {0: BATCH, 2: HEIGHT, 3: WIDTH} if name == 'latents' else {0: BATCH} for name in example}


def manifest_part(c, vae, schedule):
    """The manifest's `pixel_decoder`."""
    return {'sizes': HIGHRES_SIZES if c.pooled_width else LOWRES_SIZES, 'latent_channels': vae.latent_channels,
            'latent_scale': vae.latent_scale, 'scaling_factor': vae.scaling_factor, 'max_steps': MAX_STEPS,
            'schedule': schedule}
