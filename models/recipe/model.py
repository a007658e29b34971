"""The eight parts together, and where their weights are read from and written to."""
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .config import MINI
from .language_model import LanguageModel
from .pixel_decoder import Denoiser, Painter
from .visual_tokenizer import DynamicTokenizer, TokenizerDecoder, UnderstandingMerger, VisionEncoder

PARTS = ('encoder', 'tokenizer', 'understanding', 'decoder', 'language_model', 'painter', 'denoiser')


def build(config=MINI):
    """All parts with random weights."""
    e, t, lm, pd = config.encoder, config.tokenizer, config.language_model, config.pixel_decoder
    return SimpleNamespace(
        config=config, encoder=VisionEncoder(e).eval(), tokenizer=DynamicTokenizer(e, t).eval(),
        understanding=UnderstandingMerger(e, t, lm.hidden).eval(), decoder=TokenizerDecoder(e, t).eval(),
        language_model=LanguageModel(lm, config.vocabulary).eval(), painter=Painter(e, pd).eval(),
        denoiser=Denoiser(e, pd).eval())


def save_weights(model, folder, parts=PARTS):
    """Writes one fp16 safetensors file for each part."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        module = getattr(model, part)
        if module is None:
            continue
        state = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in module.state_dict().items()}
        if part == 'language_model' and model.config.language_model.tied_head:
            del state['lm_head.weight']
        save_file(state, folder / f'{part}.safetensors')


def load_weights(model, folder):
    """Reads what `save_weights` wrote; every key must be there. A missing denoiser file means there is none."""
    folder = Path(folder)
    for part in PARTS:
        if part == 'denoiser' and not (folder / 'denoiser.safetensors').exists():
            model.denoiser = None
            continue
        fill(getattr(model, part), folder / f'{part}.safetensors')
    return model


def fill(module, path):
    """Reads one part, strictly. A tied head is the embedding; the rows that training shares start at zero."""
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    for key, value in module.state_dict().items():
        if key == 'lm_head.weight' and key not in state:
            state[key] = state['model.embed_tokens.weight']
        elif key in ('content', 'place') and key not in state:
            state[key] = torch.zeros_like(value)
    module.load_state_dict(state)
    return module


def fits(module, path):
    """Whether a file is there and holds a module of this very shape."""
    if not path.exists():
        return False
    with safe_open(path, 'pt') as file:
        return all(tuple(module.state_dict()[key].shape) == tuple(file.get_slice(key).get_shape())
                   for key in file.keys() if key in module.state_dict())


def round_to_half(model):
    """The weights as fp16 holds them, in fp32: what the graphs compute with."""
    with torch.no_grad():
        for part in PARTS:
            if getattr(model, part) is not None:
                for v in getattr(model, part).state_dict().values():
                    if v.is_floating_point():
                        v.copy_(v.half().float())
    return model
