"""What the config files of a Stable Diffusion checkpoint (diffusers layout) say. Absent options have that library's
defaults; an option these modules cannot follow is refused."""
import math
from dataclasses import dataclass

UNET = {
    'in_channels': 4, 'out_channels': 4, 'block_out_channels': [320, 640, 1280, 1280], 'layers_per_block': 2,
    'down_block_types': ['CrossAttnDownBlock2D'] * 3 + ['DownBlock2D'],
    'up_block_types': ['UpBlock2D'] + ['CrossAttnUpBlock2D'] * 3,
    'cross_attention_dim': 1280, 'attention_head_dim': 8, 'transformer_layers_per_block': 1,
    'use_linear_projection': False, 'norm_num_groups': 32, 'norm_eps': 1e-5, 'addition_embed_type': None,
    'addition_time_embed_dim': None, 'projection_class_embeddings_input_dim': None,
}
UNET_FIXED = {
    'act_fn': 'silu', 'flip_sin_to_cos': True, 'freq_shift': 0, 'mid_block_type': 'UNetMidBlock2DCrossAttn',
    'downsample_padding': 1, 'mid_block_scale_factor': 1, 'conv_in_kernel': 3, 'conv_out_kernel': 3,
    'resnet_time_scale_shift': 'default', 'resnet_out_scale_factor': 1, 'time_embedding_type': 'positional',
    'attention_type': 'default',
}
UNET_WITHOUT_EFFECT = {'sample_size', 'dropout', 'upcast_attention', 'addition_embed_type_num_heads'}

AUTOENCODER = {
    'out_channels': 3, 'latent_channels': 4, 'block_out_channels': [64], 'up_block_types': ['UpDecoderBlock2D'],
    'layers_per_block': 1, 'norm_num_groups': 32, 'scaling_factor': 0.18215,
}
AUTOENCODER_FIXED = {'act_fn': 'silu', 'mid_block_add_attention': True, 'use_post_quant_conv': True}
AUTOENCODER_WITHOUT_EFFECT = {'sample_size', 'in_channels', 'down_block_types', 'force_upcast', 'use_quant_conv'}

SCHEDULE = {
    'num_train_timesteps': 1000, 'beta_start': 0.0001, 'beta_end': 0.02, 'beta_schedule': 'linear', 'steps_offset': 0,
    'set_alpha_to_one': True, 'prediction_type': 'epsilon', 'timestep_spacing': 'leading', 'clip_sample': True,
    'thresholding': False, 'rescale_betas_zero_snr': False, 'trained_betas': None,
}
SCHEDULE_FIXED = {
    'beta_schedule': 'scaled_linear', 'prediction_type': 'epsilon', 'timestep_spacing': 'leading', 'clip_sample': False,
    'thresholding': False, 'rescale_betas_zero_snr': False, 'trained_betas': None,
}

OF_EACH_LEVEL = {'attention_head_dim', 'transformer_layers_per_block'}


@dataclass(frozen=True)
class UnetConfig:
    in_channels: int
    out_channels: int
    channels: tuple           # of each level, from the finest down
    layers: int               # residual blocks of a level on the way down; one more on the way up
    attending: tuple          # whether a level has transformers
    transformer_layers: tuple
    heads: tuple
    condition_width: int
    linear_projection: bool   # into and out of a transformer, in place of a 1x1 convolution
    groups: int
    norm_eps: float
    pooled_width: int         # 0 without a pooled condition
    time_id_width: int        # of each of the six numbers that go with it

    @property
    def time_width(self): return 4 * self.channels[0]


@dataclass(frozen=True)
class AutoencoderConfig:
    out_channels: int
    latent_channels: int
    channels: tuple
    layers: int
    groups: int
    scaling_factor: float

    @property
    def latent_scale(self): return 2 ** (len(self.channels) - 1)


def unet_config(given):
    """Of `unet/config.json`. Raises ValueError, as the others here."""
    o = options('unet/config.json', given, UNET, UNET_FIXED, UNET_WITHOUT_EFFECT)
    levels = len(o['block_out_channels'])
    pooled, width = 0, 0
    if o['addition_embed_type'] is not None:
        width = o['addition_time_embed_dim'] or 0
        pooled = (o['projection_class_embeddings_input_dim'] or 0) - 6 * width
        if o['addition_embed_type'] != 'text_time' or width <= 0 or pooled <= 0:
            raise ValueError(f'unet/config.json: addition_embed_type {o["addition_embed_type"]!r} is not supported, '
                             'or its widths do not fit')
    return UnetConfig(o['in_channels'], o['out_channels'], tuple(o['block_out_channels']), o['layers_per_block'],
                      attending_levels(o, levels), of_each_level(o, 'transformer_layers_per_block', levels),
                      of_each_level(o, 'attention_head_dim', levels),  # despite its name the number of heads
                      o['cross_attention_dim'], o['use_linear_projection'], o['norm_num_groups'], o['norm_eps'],
                      pooled, width)


def autoencoder_config(given):
    """Of `vae/config.json`."""
    o = options('vae/config.json', given, AUTOENCODER, AUTOENCODER_FIXED, AUTOENCODER_WITHOUT_EFFECT)
    if o['up_block_types'] != ['UpDecoderBlock2D'] * len(o['block_out_channels']):
        raise ValueError(f'vae/config.json: up_block_types {o["up_block_types"]} is not supported')
    return AutoencoderConfig(o['out_channels'], o['latent_channels'], tuple(o['block_out_channels']),
                             o['layers_per_block'], o['norm_num_groups'], o['scaling_factor'])


def noise_schedule(given):
    """Of `scheduler/scheduler_config.json`: the manifest's `schedule`. The sampler is DDIM whichever class the file
    names; what belongs to others is passed over."""
    o = {**SCHEDULE, **given}
    for key, value in SCHEDULE_FIXED.items():
        if o[key] != value:
            raise ValueError(f'scheduler/scheduler_config.json: {key} {o[key]!r} is not supported, only {value!r}')
    require_kinds('scheduler/scheduler_config.json', o, SCHEDULE)
    return {'kind': 'ddim', 'train_steps': o['num_train_timesteps'], 'beta_start': o['beta_start'],
            'beta_end': o['beta_end'], 'steps_offset': o['steps_offset'], 'set_alpha_to_one': o['set_alpha_to_one']}


def options(file, given, used, fixed, without_effect):
    for key, value in given.items():
        if key in used or key in without_effect or key.startswith('_'):
            continue
        off = value is None or value is False or isinstance(value, list) and not any(value)
        if value != fixed[key] if key in fixed else not off:
            raise ValueError(f'{file}: {key} {value!r} is not supported')
    found = {**used, **given}
    require_kinds(file, found, used)
    return found


def require_kinds(file, found, defaults):
    """Each option is like its default; of some there may be a list, with one for each level."""
    for key, default in defaults.items():
        several = key in OF_EACH_LEVEL and isinstance(found[key], list)
        if default is not None and not is_like([default] if several else default, found[key]):
            raise ValueError(f'{file}: {key} {found[key]!r} is not of the kind of {default!r}')


def is_like(default, value):
    """Numbers are above zero, but where zero is the default."""
    if isinstance(default, list):
        return isinstance(value, list) and bool(value) and all(is_like(default[0], part) for part in value)
    if isinstance(default, (bool, str)):
        return type(value) is type(default)
    return type(value) in {int, type(default)} and (0 < value < math.inf or value == default)


def of_each_level(o, key, levels):
    values = tuple(o[key]) if isinstance(o[key], list) else (o[key],) * levels
    if len(values) != levels or not all(isinstance(v, int) for v in values):
        raise ValueError(f'unet/config.json: {key} {o[key]!r} does not fit {levels} levels')
    return values


def attending_levels(o, levels):
    kinds = {'CrossAttnDownBlock2D': True, 'DownBlock2D': False, 'CrossAttnUpBlock2D': True, 'UpBlock2D': False}
    down, up = ([kinds.get(kind) for kind in o[f'{way}_block_types']] for way in ('down', 'up'))
    if None in down or down != up[::-1] or len(down) != levels:
        raise ValueError('unet/config.json: '
                         f'blocks {o["down_block_types"]} and {o["up_block_types"]} are not supported')
    return tuple(down)
