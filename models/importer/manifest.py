"""`manifest.json` of an imported checkpoint: sizes from its tensors, prompts and defaults from the official code."""
from packager.graphs import candidates

TEXT = {'temperature': 0, 'top_p': 1, 'top_k': 0, 'repetition_penalty': 1}
CAPTION = {**TEXT, 'num_beams': 2, 'max_tokens': 36, 'min_tokens': 8, 'length_penalty': 1, 'early_stopping': False,
           'postprocess': 'first_sentence'}
VQA = {**TEXT, 'num_beams': 5, 'max_tokens': 10, 'min_tokens': 2, 'length_penalty': 0, 'early_stopping': True,
       'postprocess': 'lemmatised_answer'}
LICENCES = ['LaVIT Community License (17 October 2023)', 'Llama 2 Community License']
PAINTING_LICENCES = {'none': [], 'lowres': ['CreativeML Open RAIL-M (Stable Diffusion 1.5)'],
                     'highres': ['CreativeML Open RAIL++-M (SDXL)']}


def manifest(name, config, pixel_decoder, graphs, tokenizer, provenance):
    """`pixel_decoder`: that part of the manifest, or None for a package that does not paint."""
    e, t, lm = config.encoder, config.tokenizer, config.language_model
    return {
        'schema': 1, 'name': name, 'family': 'lavit', 'version': '1.0.0',
        'description': 'LaVIT, imported from a checkpoint in the official layout.',
        'image': {'size': e.image_size, 'grid': {'rows': e.grid, 'columns': e.grid}},
        'visual_tokenizer': {'feature_dim': e.width, 'codebook_size': t.codebook_size,
                             'min_visual_tokens': t.min_visual_tokens, 'selection': 'sample'},
        'language_model': {'layers': lm.layers, 'kv_heads': lm.kv_heads, 'head_dim': lm.head_dim,
                           'hidden_size': lm.hidden, 'vocabulary_size': config.vocabulary, 'max_length': lm.max_length,
                           'candidates': candidates(config)},
        'ids': {'end': 2, 'image_start': config.image_start, 'image_end': config.image_end,
                'visual_offset': config.visual_offset},
        'prompts': {'question': 'Question: {question} Answer:'},
        'tasks': {'caption': CAPTION, 'vqa': VQA, 'generate': generation(config, pixel_decoder)},
        **({'pixel_decoder': pixel_decoder} if pixel_decoder else {}),
        'graphs': graphs, 'tokenizer': tokenizer, 'quality': {},
        'provenance': provenance,
    }


def least_context(patches):
    """Places for the shortest prompt of each task and for as many tokens as are drawn where nothing is said."""
    picture = patches + 2  # between its start and its end; a question has one word at least
    return max(picture + CAPTION['max_tokens'], picture + 1 + VQA['max_tokens'], 2 + most_codes(patches))


def most_codes(patches): return min(200, patches)


def generation(config, pixel_decoder):
    """The official numbers of tokens, as far as the decoder's positions reach."""
    most = config.encoder.patches
    return {'max_tokens': most_codes(most), 'min_tokens': min(20, most), 'temperature': 1, 'top_p': 1, 'top_k': 50,
            'guidance_scale': 4, 'mixed_guidance_scale': 5, 'decoder_guidance_scale': 7, 'steps': 25,
            'size': pixel_decoder['sizes'][0] if pixel_decoder else '1024x1024'}
