"""A tiny random pixel decoder in the layout of the official ones, for tests: written, and read back."""
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .autoencoder import AutoencoderDecoder, decoder_state
from .config import autoencoder_config, noise_schedule, unet_config
from .graphs import autoencoder_decoder_of, denoiser_of, manifest_part
from .unet import Unet

COMMON = {'block_out_channels': [16, 32, 48], 'norm_num_groups': 8, '_class_name': 'UNet2DConditionModel'}
LOWRES_UNET = {  # as Stable Diffusion 1.5 in miniature
    **COMMON, 'attention_head_dim': 4,
    'down_block_types': ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    'up_block_types': ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
}
HIGHRES_UNET = {  # as XL
    **COMMON, 'attention_head_dim': [2, 4, 6], 'transformer_layers_per_block': [1, 2, 3], 'use_linear_projection': True,
    'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    'addition_embed_type': 'text_time', 'addition_time_embed_dim': 8,
}
AUTOENCODER = {'block_out_channels': [8, 16, 16, 24], 'norm_num_groups': 4, 'latent_channels': 4,
               'up_block_types': ['UpDecoderBlock2D'] * 4, '_class_name': 'AutoencoderKL'}
SCHEDULER = {'_class_name': 'PNDMScheduler', 'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear',
             'num_train_timesteps': 1000, 'clip_sample': False, 'set_alpha_to_one': False, 'skip_prk_steps': True,
             'steps_offset': 1, 'trained_betas': None}
UNET_FILE, AUTOENCODER_FILE = (f'{part}/diffusion_pytorch_model.{ending}'
                               for part, ending in (('unet', 'bin'), ('vae', 'safetensors')))
OLD_NAMES = {'.to_q.': '.query.', '.to_k.': '.key.', '.to_v.': '.value.', '.to_out.0.': '.proj_attn.'}


def make_pixel_decoder(folder, condition_width, pooled_width=0, uncond_rows=5, layers=1, old_names=False, seed=0):
    """`pooled_width` 0 is the lowres kind, with unconditional rows. `layers`: as `layers_per_block`; the official ones
    have 2. `old_names`: the autoencoder as older files have it."""
    folder, random = Path(folder), torch.Generator().manual_seed(seed)
    unet = {**(HIGHRES_UNET if pooled_width else LOWRES_UNET), 'layers_per_block': layers,
            'cross_attention_dim': condition_width}
    if pooled_width:
        unet['projection_class_embeddings_input_dim'] = pooled_width + 6 * unet['addition_time_embed_dim']
    vae = {**AUTOENCODER, 'layers_per_block': layers, 'scaling_factor': 0.13025 if pooled_width else 0.18215}
    for name, text in (('unet/config.json', unet), ('vae/config.json', vae),
                       ('scheduler/scheduler_config.json', SCHEDULER)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(text))
    torch.save(weights(Unet, unet_config(unet), random), folder / UNET_FILE)
    decoder = weights(AutoencoderDecoder, autoencoder_config(vae), random)
    if old_names:
        decoder = {renamed(key) if 'mid_block.attentions' in key else key: value for key, value in decoder.items()}
    unused = {'encoder.conv_in.weight': (8, 3, 3, 3), 'quant_conv.weight': (8, 8, 1, 1), 'quant_conv.bias': (8,)}
    save_file({**decoder, **{key: torch.zeros(shape) for key, shape in unused.items()}}, folder / AUTOENCODER_FILE)
    if not pooled_width:
        torch.save(torch.randn(1, uncond_rows, condition_width, generator=random), folder / 'uncond_embeddings.bin')


def open_pixel_decoder(folder, patches, dtype=torch.float32):
    """(denoiser, autoencoder decoder) as `graphs` defines them, with the stored weights."""
    c, vae = configs(folder)
    state = {f'unet.{key}': value for key, value in torch.load(folder / UNET_FILE, weights_only=True).items()}
    uncond = folder / 'uncond_embeddings.bin'
    if uncond.exists():
        state['unconditional'] = torch.load(uncond, weights_only=True)
    denoiser = denoiser_of(c, vae, patches, state['unconditional'].shape if uncond.exists() else None)
    autoencoder = autoencoder_decoder_of(vae)
    stored = decoder_state(load_file(folder / AUTOENCODER_FILE))
    for (module, *_), tensors in ((denoiser, state), (autoencoder, stored)):
        module.load_state_dict({key: value.to(dtype) for key, value in tensors.items()}, assign=True)
    return denoiser, autoencoder


def configs(folder):
    unet, vae = (read_json(folder / part / 'config.json') for part in ('unet', 'vae'))
    return unet_config(unet), autoencoder_config(vae)


def manifest_part_of(folder):
    return manifest_part(*configs(folder), noise_schedule(read_json(folder / 'scheduler/scheduler_config.json')))


def read_json(file): return json.loads(file.read_text())


def weights(kind, config, random):
    """Every number counts: norms and biases are not left at one and zero."""
    with torch.device('meta'):
        wanted = kind(config).state_dict()
    return {name: drawn(name, tensor.shape, random) for name, tensor in wanted.items()}


def drawn(name, shape, random):
    values = torch.randn(shape, generator=random)
    if len(shape) > 1:
        return values / shape[1:].numel() ** .5
    return values * .2 + (1 if 'norm' in name and name.endswith('weight') else 0)


def renamed(key):
    for new, old in OLD_NAMES.items():
        key = key.replace(new, old)
    return key
