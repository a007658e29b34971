"""The official checkpoint folder: which file holds which part, and the sizes that its tensors tell."""
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import torch

from networks.config import FULL, ModelConfig
from networks.language_model import LanguageModel
from networks.visual_tokenizer import DynamicTokenizer, UnderstandingMerger, VisionEncoder

from .checkpoint import open_sharded, open_single, read_json
from .decoder import HighresDecoder, LowresDecoder
from .errors import CheckpointError
from .language_config import depth, language_sizes
from .manifest import least_context
from .module import attach, without_weights

ENCODER_UNUSED = r'(norm|head)\.(weight|bias)'                   # stored by the official encoder and never computed
LANGUAGE_MODEL_UNUSED = r'model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq'  # older libraries stored these
DECODER_FILES = {'lowres': 'tokenizer_decoder', 'highres': 'highres_tokenizer_decoder'}
PIXEL_FOLDERS = {'lowres': 'pixel_decoding', 'highres': 'highres_pixel_decoding'}


@dataclass
class Official:
    """An official checkpoint, opened: `model` as `graphs.definitions` takes it, its weights still on disk."""
    folder: Path
    config: ModelConfig
    model: SimpleNamespace
    stored: dict    # parameter -> Stored
    states: list    # key -> Stored of each file that is read


def open_official(folder, pixel_decoder='none', model_sub_dir='language_model', context=768):
    """Opens every weight file of a checkpoint and checks each key and shape. Raises CheckpointError."""
    folder = Path(folder)
    visual, language = folder / 'visual_tokenizer', folder / model_sub_dir
    encoder = open_single(visual, 'eva_vitg_psz14')
    tokenizer = open_single(visual, 'tokenizer_encoder')
    understanding = open_single(language, 'visual_weight')
    llm = open_sharded(language, 'pytorch_model', 'model')
    decoder = None if pixel_decoder == 'none' else open_single(visual, DECODER_FILES[pixel_decoder])
    config = sizes(encoder, tokenizer, llm, decoder, read_json(language / 'config.json'), context)
    e, t, lm = config.encoder, config.tokenizer, config.language_model
    require(encoder, 'norm.weight', 'norm.bias', 'head.weight', 'head.bias')
    model, stored = SimpleNamespace(config=config, memory=None, decoder=None, painter=None, denoiser=None,
                                    familiarity=None), {}

    def part(name, build, state, unused=None):
        module = without_weights(build).eval()
        stored.update(attach(module, state, unused))
        setattr(model, name, module)

    part('encoder', lambda: VisionEncoder(e), encoder, ENCODER_UNUSED)
    model.encoder.mean, model.encoder.std = (torch.tensor(v).view(1, 3, 1, 1) for v in (e.mean, e.std))
    part('tokenizer', lambda: DynamicTokenizer(e, t), tokenizer)
    part('understanding', lambda: UnderstandingMerger(e, t, lm.hidden), understanding)
    part('language_model', lambda: LanguageModel(lm, config.vocabulary), llm, LANGUAGE_MODEL_UNUSED)
    if decoder:
        part('decoder', lambda: decoder_module(e, t, decoder), decoder)
    return Official(folder, config, model, stored, [s for s in (encoder, tokenizer, understanding, llm, decoder) if s])


def require(state, *keys):
    """Rows and columns of a tensor that sizes are read from; its file must hold it."""
    for key in keys:
        if key not in state:
            raise CheckpointError(f'{next(iter(state.values())).file.label}: key {key} is missing')
        if 0 in state[key].shape:
            raise CheckpointError(f'{state[key].file.label}: {key} is empty, with shape {list(state[key].shape)}')
    return state[keys[0]].shape


def shape_of(state, key, rank):
    shape = require(state, key)
    if len(shape) != rank:
        raise CheckpointError(f'{state[key].file.label}: {key} has shape {list(shape)}, expected {rank} axes')
    return shape


def heads_of(width):
    """The official parts have 16 heads; a narrower test model has heads of 16 channels. No tensor tells."""
    return min(16, width // 16)


def sizes(encoder, tokenizer, llm, decoder, config, context):
    width, _, patch, _ = shape_of(encoder, 'patch_embed.proj.weight', 4)
    grid = round((shape_of(encoder, 'pos_embed', 3)[1] - 1) ** .5)
    e = replace(FULL.encoder, image_size=grid * patch, patch_size=patch, width=width, depth=depth(encoder, 'blocks.'),
                heads=heads_of(width), mlp_hidden=shape_of(encoder, 'blocks.0.mlp.fc1.weight', 2)[0])
    codes, code_dim = shape_of(tokenizer, 'quantize.embedding.weight', 2)
    t = replace(FULL.tokenizer, merger_depth=depth(tokenizer, 'causal_encoder.blocks.'), heads=heads_of(width),
                decoder_depth=depth(decoder, 'blocks.') if decoder else 0, codebook_size=codes, code_dim=code_dim,
                mlp_hidden=shape_of(tokenizer, 'causal_encoder.blocks.0.mlp.fc1.weight', 2)[0])
    return ModelConfig(e, t, language_sizes(config, llm, codes, context, least_context(e.patches)))


def decoder_module(encoder, c, state):
    if 'unet_proj.weight' in state:
        return LowresDecoder(encoder, c, shape_of(state, 'unet_proj.weight', 2)[0])
    return HighresDecoder(encoder, c, shape_of(state, 'unet_proj_1.weight', 2)[0],
                          shape_of(state, 'unet_proj_2.weight', 2)[0])
