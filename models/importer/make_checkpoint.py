"""Writes a checkpoint in the official layout, filled with random numbers, to try the importer and the server on:
`python -m importer.make_checkpoint OUT --size tiny`, or `--size full [--layers N]`: LaVIT-7B's sizes without its pixel
decoders, 19 GB with all layers. One file of weights is in memory at a time.
"""
import argparse
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from tqdm import tqdm

from networks.config import FULL, ModelConfig
from networks.language_model import LanguageModel
from networks.visual_tokenizer import DynamicTokenizer, UnderstandingMerger, VisionEncoder
from recipe.data.text_tokenizer import sentences
from recipe.data.wording import Words

from .decoder import HighresDecoder, LowresDecoder
from .module import without_weights
from .stable_diffusion.random_checkpoint import make_pixel_decoder

SHARD = 2 << 30
NORM = re.compile(r'norm\d?\.weight$|layernorm\.weight$|ln_vision\.weight$|in_conv\.0\.weight$')
TINY = ModelConfig(
    encoder=replace(FULL.encoder, image_size=112, width=64, depth=3, heads=4, mlp_hidden=279),
    tokenizer=replace(FULL.tokenizer, merger_depth=2, decoder_depth=2, heads=4, mlp_hidden=279, codebook_size=64,
                      code_dim=8),
    language_model=replace(FULL.language_model, hidden=48, layers=2, heads=4, mlp_hidden=128))
CONDITION = {'tiny': (48, 48, 80), 'full': (768, 768, 1280)}  # lowres; highres, first and second part


def make(out, size='tiny', layers=None, seed=0):
    config = {'tiny': TINY, 'full': FULL}[size]
    if layers:
        config = replace(config, language_model=replace(config.language_model, layers=layers))
    e, t, lm = config.encoder, config.tokenizer, config.language_model
    torch.manual_seed(seed)
    visual, language = out / 'visual_tokenizer', out / 'language_model'
    for folder in (visual, language):
        folder.mkdir(parents=True)
    lowres, *highres = CONDITION[size]
    encoder = shapes(lambda: VisionEncoder(e))
    head = e.width * 8 // 11  # 1024 of 1408
    encoder |= {'norm.weight': (e.width,), 'norm.bias': (e.width,), 'head.weight': (head, e.width),
                'head.bias': (head,)}
    save(encoder, visual / 'eva_vitg_psz14.bin')
    save(shapes(lambda: DynamicTokenizer(e, t)), visual / 'tokenizer_encoder.bin')
    save(shapes(lambda: LowresDecoder(e, t, lowres)), visual / 'tokenizer_decoder.bin')
    save(shapes(lambda: HighresDecoder(e, t, *highres)), visual / 'highres_tokenizer_decoder.bin')
    save(shapes(lambda: UnderstandingMerger(e, t, lm.hidden)), language / 'visual_weight.bin')
    save_shards(shapes(lambda: LanguageModel(lm, config.vocabulary)), language)
    (language / 'config.json').write_text(json.dumps({
        'architectures': ['LlamaForCausalLM'], 'model_type': 'llama', 'hidden_act': 'silu', 'hidden_size': lm.hidden,
        'intermediate_size': lm.mlp_hidden, 'num_hidden_layers': lm.layers, 'num_attention_heads': lm.heads,
        'num_key_value_heads': lm.kv_heads, 'rms_norm_eps': lm.norm_eps, 'rope_theta': lm.rotary_base,
        'rope_scaling': None, 'max_position_embeddings': 4096, 'tie_word_embeddings': False,
        'vocab_size': config.vocabulary}, indent=2) + '\n')
    (language / 'tokenizer.model').write_bytes(text_model())
    if size == 'tiny':
        make_pixel_decoder(out / 'pixel_decoding', lowres, uncond_rows=20)
        make_pixel_decoder(out / 'highres_pixel_decoding', sum(highres), highres[1])


def shapes(build): return {k: tuple(v.shape) for k, v in without_weights(build).state_dict().items()}


def save(state, path):
    bar = tqdm(state.items(), desc=path.name, leave=False, disable=None)
    torch.save({k: random_tensor(k, shape) for k, shape in bar}, path)


def random_tensor(key, shape):
    """Such that no layer blows its input up or lets it vanish."""
    if key == 'quantize.embedding.weight':
        return torch.nn.functional.normalize(torch.randn(shape), dim=-1).half()
    if len(shape) == 1:
        return (torch.randn(shape) * .02 + bool(NORM.search(key))).half()
    fan_in = np.prod(shape[1:]) if key.endswith('weight') and 'embed_tokens' not in key else 2500
    return torch.cat([(torch.randn(rows, *shape[1:]) * fan_in ** -.5).half() for rows in pieces(shape)])


def pieces(shape, most=1 << 24):
    """Rows to draw at once, so that single precision is never in memory as a whole."""
    step = max(1, most // int(np.prod(shape[1:])))
    return [min(step, shape[0] - start) for start in range(0, shape[0], step)]


def save_shards(state, folder):
    shards = [{}]
    for key, shape in sorted(state.items(), key=lambda entry: order(entry[0])):
        if 2 * sum(np.prod(s) for s in (*shards[-1].values(), shape)) > SHARD:
            shards.append({})
        shards[-1][key] = shape
    if len(shards) == 1:  # two at least, as the importer is to read shards
        keys = list(shards[0])
        shards = [{k: state[k] for k in part} for part in (keys[:len(keys) // 2], keys[len(keys) // 2:])]
    names = [f'pytorch_model-{i:05}-of-{len(shards):05}.bin' for i in range(1, len(shards) + 1)]
    for name, shard in zip(names, shards):
        save(shard, folder / name)
    index = {'metadata': {'total_size': int(2 * sum(np.prod(s) for s in state.values()))},
             'weight_map': {key: name for name, shard in zip(names, shards) for key in shard}}
    (folder / 'pytorch_model.bin.index.json').write_text(json.dumps(index, indent=1) + '\n')


def order(key):
    layer = re.search(r'layers\.(\d+)\.', key)
    return (1, int(layer[1])) if layer else (0 if 'embed_tokens' in key else 2, 0)


def text_model():
    """A small LLaMA-like sentencepiece model of the recipe's own sentences."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences(Words(400), 3000, np.random.default_rng(7)), model_writer=written, vocab_size=1000,
        model_type='bpe', byte_fallback=True, normalization_rule_name='identity', remove_extra_whitespaces=False,
        add_dummy_prefix=True, split_digits=True, hard_vocab_limit=False, minloglevel=2)
    return written.getvalue()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--size', choices=['tiny', 'full'], default='tiny')
    parser.add_argument('--layers', type=int, help='of the language model; all without it')
    args = parser.parse_args(arguments)
    if args.out.exists() and not (args.out.is_dir() and not any(args.out.iterdir())):
        parser.error(f'{args.out}: exists already and is no empty folder')
    make(args.out, args.size, args.layers)


if __name__ == '__main__':
    main()
