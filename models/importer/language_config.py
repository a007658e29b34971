"""What `config.json` of the language model says. Each option is used, without effect, or refused
by name."""
import math
import re
from dataclasses import replace

from networks.config import FULL

from .errors import CheckpointError

USED = {'model_type', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads', 'rms_norm_eps',
        'vocab_size', 'max_position_embeddings', 'rope_theta', 'rope_parameters', 'rope_scaling', 'head_dim',
        'num_key_value_heads'}
FIXED = {  # what the network computes; other values are refused
    'hidden_act': 'silu', 'attention_bias': False, 'mlp_bias': False, 'tie_word_embeddings': False,
    'partial_rotary_factor': 1, 'sliding_window': None, 'use_sliding_window': False, 'quantization_config': None,
}
WITHOUT_EFFECT = {  # on the logits of a trained model
    'architectures', 'torch_dtype', 'dtype', 'transformers_version', 'auto_map', 'initializer_range', 'use_cache',
    'attention_dropout', 'hidden_dropout', 'pretraining_tp', 'gradient_checkpointing', 'unsloth_version',
    'bos_token_id', 'eos_token_id', 'pad_token_id', 'sep_token_id', 'decoder_start_token_id', 'forced_bos_token_id',
    'forced_eos_token_id', 'suppress_tokens', 'begin_suppress_tokens', 'bad_words_ids', 'tokenizer_class', 'prefix',
    'return_dict', 'output_hidden_states', 'output_attentions', 'output_scores', 'return_dict_in_generate',
    'torchscript', 'use_bfloat16', 'tf_legacy_loss', 'id2label', 'label2id', 'num_labels', 'finetuning_task',
    'problem_type', 'task_specific_params', 'max_length', 'min_length', 'do_sample', 'early_stopping', 'num_beams',
    'num_beam_groups', 'diversity_penalty', 'temperature', 'top_k', 'top_p', 'typical_p', 'repetition_penalty',
    'length_penalty', 'no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'num_return_sequences',
    'remove_invalid_values', 'exponential_decay_length_penalty',
}
LARGEST = 1 << 31   # sizes below it are held against the tensors
ROTARY_USED = {'rope_theta', 'rope_type', 'type', 'partial_rotary_factor'}


def language_sizes(config, llm, codes, context, least):
    """`config`: the content of the file; `llm`: key -> Stored; `codes`: how many the codebook has; `context`: longest
    sequence; `least`: the shortest that this may be. Raises CheckpointError."""
    refuse_others(config)
    heads, hidden = whole(config, 'num_attention_heads'), whole(config, 'hidden_size')
    kv_heads = heads if config.get('num_key_value_heads') is None else whole(config, 'num_key_value_heads')
    lm = replace(FULL.language_model, hidden=hidden, layers=whole(config, 'num_hidden_layers'), heads=heads,
                 queries_per_key=max(1, heads // kv_heads), mlp_hidden=whole(config, 'intermediate_size'),
                 norm_eps=positive(config, 'rms_norm_eps'), rotary_base=rotary_base(config), max_length=context)
    vocabulary, stored_layers = whole(config, 'vocab_size'), depth(llm, 'model.layers.')
    for holds, otherwise in [
            (config.get('model_type') == 'llama', 'model_type is not llama'),
            (hidden % heads == 0 and hidden // heads % 2 == 0,
             f'hidden_size {hidden} and num_attention_heads {heads} do not give heads of an even width'),
            (config.get('head_dim') in (None, hidden // heads),
             f'head_dim {config.get("head_dim")!r} is not supported, only hidden_size / num_attention_heads'),
            (heads % kv_heads == 0, f'num_key_value_heads {kv_heads} does not divide num_attention_heads {heads}'),
            (vocabulary == lm.text_vocabulary + 2 + codes,
             f'vocab_size is {vocabulary}, expected {lm.text_vocabulary} + 2 + {codes} codes'),
            (stored_layers == lm.layers, f'num_hidden_layers is {lm.layers}, the weights have {stored_layers}')]:
        if not holds:
            raise CheckpointError(f'config.json: {otherwise}')
    if context < least:
        raise CheckpointError(f'--context {context} is less than {least}, which a picture and a text about it take')
    if 'max_position_embeddings' in config and context > whole(config, 'max_position_embeddings'):
        raise CheckpointError(f'config.json: --context {context} is more than max_position_embeddings')
    return lm


def refuse_others(config):
    for key, value in config.items():
        if key in USED or key in WITHOUT_EFFECT or key.startswith('_'):
            continue
        if key in FIXED:
            if value != FIXED[key] and value is not None and not (is_off(value) and is_off(FIXED[key])):
                raise CheckpointError(f'config.json: {key} {short(value)} is not supported, only {FIXED[key]!r}')
        elif not is_off(value):
            raise CheckpointError(f'config.json: {key} {short(value)} is not known and might change what is computed; '
                                  'take it out of the file if it does not')


def rotary_base(config):
    """The base of the rotary embedding, as files of several ages tell it. Every way of stretching it is refused."""
    bases = {float(positive(config, 'rope_theta'))} if 'rope_theta' in config else set()
    for name in ('rope_parameters', 'rope_scaling'):
        part = config.get(name)
        if is_off(part):
            continue
        if not isinstance(part, dict):
            raise CheckpointError(f'config.json: {name} {short(part)} is not an object')
        for key, value in part.items():
            if key not in ROTARY_USED and not is_off(value):
                raise CheckpointError(f'config.json: {name}.{key} {short(value)} is not supported')
        kind = part.get('rope_type', part.get('type', 'default'))
        if kind != 'default':
            raise CheckpointError(f"config.json: {name} of type {short(kind)} is not supported, only 'default'")
        if part.get('partial_rotary_factor', 1) != 1:
            raise CheckpointError(f'config.json: {name}.partial_rotary_factor is not supported, only 1')
        if 'rope_theta' in part:
            bases.add(float(positive(part, 'rope_theta')))
    if len(bases) > 1:
        raise CheckpointError(f'config.json: rope_theta has several values, {sorted(bases)}')
    return bases.pop() if bases else FULL.language_model.rotary_base


def whole(config, key):
    value = given(config, key)
    if type(value) is not int or not 0 < value < LARGEST:
        raise CheckpointError(f'config.json: {key} {short(value)} is not a positive whole number')
    return value


def positive(config, key):
    value = given(config, key)
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise CheckpointError(f'config.json: {key} {short(value)} is not a positive number')
    return value


def given(config, key):
    if key not in config:
        raise CheckpointError(f'config.json: {key} is missing')
    return config[key]


def is_off(value): return value in (None, False, 0, '', [], {})


def short(value):
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'


def depth(state, prefix):
    """How many blocks a file holds. Numbers between them may be missing, which the keys of the module tell then."""
    return len({m[1] for m in (re.match(re.escape(prefix) + r'(\d+)\.', k) for k in state) if m})
