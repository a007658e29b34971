"""The parts together, and where their weights are read from and written to."""
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import load_file, save_file

from .config import CONCEPTS, MINI
from .familiarity import Familiarity
from .language_model import LanguageModel, PlacedLanguageModel
from .memory import Memory
from .pixel_decoder import Denoiser, Painter
from .visual_tokenizer import DynamicTokenizer, TokenizerDecoder, UnderstandingMerger, VisionEncoder

PARTS = ('encoder', 'tokenizer', 'memory', 'understanding', 'decoder', 'language_model', 'painter', 'denoiser',
         'familiarity')
OPTIONAL = ('denoiser', 'familiarity')


def language_model(config=MINI):
    places, t = config.encoder.patches, config.tokenizer
    if not t.place_codes:
        return LanguageModel(config.language_model, config.vocabulary)
    return PlacedLanguageModel(config.language_model, config.visual_offset, t.contents(places), places)


def build(config=MINI, concepts=CONCEPTS):
    """All parts with random weights."""
    e, t, pd = config.encoder, config.tokenizer, config.pixel_decoder
    return SimpleNamespace(
        config=config, encoder=VisionEncoder(e).eval(), tokenizer=DynamicTokenizer(e, t).eval(),
        memory=Memory(e.width, concepts).eval(),
        understanding=UnderstandingMerger(e, t, config.language_model.hidden).eval(),
        decoder=TokenizerDecoder(e, t).eval(),
        language_model=language_model(config).eval(), painter=Painter(e, pd, concepts).eval(),
        denoiser=Denoiser(e, pd).eval(), familiarity=Familiarity(e.width, concepts).eval())


def save_weights(model, folder, parts=PARTS):
    """Writes one fp16 safetensors file for each part. Files that are there stay until all new ones are written."""
    folder, written = Path(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        module = getattr(model, part)
        if module is None:
            continue
        state = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in module.state_dict().items()}
        if part == 'language_model' and model.config.language_model.tied_head:
            del state['lm_head.weight']
        written.append(folder / f'{part}.part')
        save_file(state, written[-1])
    for path in written:
        path.replace(path.with_suffix('.safetensors'))


def load_weights(model, folder):
    """Reads what `save_weights` wrote; every key must be there. Without a file for it, an optional part is
    not there."""
    folder = Path(folder)
    for part in PARTS:
        if part in OPTIONAL and not (folder / f'{part}.safetensors').exists():
            setattr(model, part, None)
            continue
        fill(getattr(model, part), folder / f'{part}.safetensors')
    return model


def teacher_of(folder, config=MINI):
    """The language model and the understanding merger of a folder of weights, frozen; heads of keys, and width between
    gate and down, as its file has them."""
    shapes = {key: value.shape for key, value in load_file(Path(folder) / 'language_model.safetensors').items()}
    layer, lm = 'model.layers.0', config.language_model
    lm = replace(lm, queries_per_key=lm.hidden // shapes[f'{layer}.self_attn.k_proj.weight'][0],
                 mlp_hidden=shapes[f'{layer}.mlp.gate_proj.weight'][0])
    model = SimpleNamespace(
        language_model=language_model(replace(config, language_model=lm)),
        understanding=UnderstandingMerger(config.encoder, config.tokenizer, lm.hidden))
    for part, module in vars(model).items():
        fill(module, Path(folder) / f'{part}.safetensors').requires_grad_(False).eval()
    return model


def fill(module, path):
    """Reads one part, strictly. A tied head is the embedding."""
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    if 'lm_head.weight' in module.state_dict() and 'lm_head.weight' not in state:
        state['lm_head.weight'] = state['model.embed_tokens.weight']
    module.load_state_dict(state)
    return module


def borrow(module, path):
    """Begins a module with what a file has for it: tensors of the same shape, and of tables that grew the first rows.
    Returns the names of tensors that got nothing."""
    state, given = module.state_dict(), load_file(path) if path.exists() else {}
    left = []
    for key, value in state.items():
        source, table = given.get(key), torch.atleast_1d(value)
        if source is not None and source.shape[1:] == value.shape[1:] and source.numel() <= value.numel():
            table[:len(torch.atleast_1d(source))].copy_(source)
        else:
            left.append(key)
    return left
