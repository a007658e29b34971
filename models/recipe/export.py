"""Writes a model package: `python -m recipe.export --weights recipe/weights --out lavit-mini`.

Graphs hold their weights in 8 bits and half precision (`--bits 16`: in half precision alone) and compute in single;
every graph is checked against PyTorch, on random input and on what real pictures become on their way, before the
manifest is written. A package that is there stays as it is until the new one is complete. Where the weights bring
ranges (`recipe.ranges`), products with 8-bit matrices are then computed in whole numbers, by fewer nodes. With
`--device-precision` the package is for GPUs instead: weights stay there as they are stored, in half precision or in
blocks of 8 or 4 bits, and all else is computed in single precision.
"""
import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from importer.staging import renewed
from importer.stream import precision_of, write_graph
from networks.config import CONCEPTS, MINI
from networks.decoding import GUIDANCE, TEMPERATURE, TOP_K
from networks.language_model import HIDDEN
from networks.model import build, load_weights
from networks.visual_tokenizer import choose, rank_order
from packager.activations import round_activations
from packager.device import described
from packager.fusion import fuse
from packager.graphs import candidates, definitions
from packager.precision import round_weights
from packager.vision_fusion import fuse_vision
from packager.write import TOLERANCE, check, digest, export_graph

from .data.scenes import HOUSE_STYLE
from .inputs import require_files
from .ranges import ranges_of


def real_inputs(model, files):
    """What the graphs get for real pictures, by graph: each stage's input is what PyTorch makes of the one before."""
    c = model.config
    size, lm = c.encoder.image_size, c.language_model
    pictures = [np.asarray(Image.open(f).convert('RGB').resize((size, size))) for f in files]
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    features = model.encoder(model.encoder.normalise(pixels))
    keep = choose(model.tokenizer.token_predictor(features)[..., 0].exp(), least=c.tokenizer.min_visual_tokens)
    places, mask = rank_order(keep)
    b, k = places.shape
    codes = model.tokenizer(features, keep).gather(1, places)
    condition = model.decoder(model.tokenizer.quantize.embedding(codes), mask)
    picture = model.painter(condition).clamp(-1, 1)
    rest = c.encoder.patches - k
    rows = model.understanding(model.memory(features), keep).gather(1, places[..., None].expand(-1, -1, lm.hidden))
    read = {'token_ids': torch.zeros(b, k, dtype=torch.long), 'embeddings': rows,
            'is_embedding': torch.ones(b, k, dtype=torch.bool), 'positions': torch.arange(k).repeat(b, 1),
            'cache_bias': torch.full((b, 1), HIDDEN)}
    cache = [torch.zeros(b, *shape) for shape in lm.cache(1)]
    states = model.language_model.step(*read.values(), *cache)[0]
    row, yes = torch.arange(b), torch.ones(b, dtype=torch.bool)
    return {
        'vision': {'pixels': pixels},
        'token_predictor': {'x': features},
        'familiarity': {'features': features, 'log_probabilities': model.tokenizer.token_predictor(features)},
        'merger_codes': {'features': features[:1], 'places': keep[:1].nonzero()[:, 1][None]},
        'merger_embeddings': {'features': features[:1], 'places': keep[:1].nonzero()[:, 1][None]},
        'language_model': {**read, 'cache': cache},
        'text_head': {'states': states},
        'visual_head': {'states': states, 'conditional': row, 'unconditional': torch.zeros_like(row),
                        'guidance_scale': torch.full((b,), 2.), 'may_end': yes, 'may_skip': ~yes},
        'tokenizer_decoder': {'codes': torch.nn.functional.pad(codes, (0, rest)),
                              'mask': torch.nn.functional.pad(mask, (0, rest))},
        'painter': {'condition': condition},
        'denoiser': {'latents': torch.randn_like(picture), 'timestep': torch.linspace(0, .9, b),
                     'condition': condition, 'picture': picture},
    }


NOTICE = 'lavit-mini/NOTICE'  # credits of the art go with the weights
TEXT = {'num_beams': 1, 'max_tokens': 40, 'min_tokens': 1, 'temperature': 0, 'top_p': 1, 'top_k': 0,
        'repetition_penalty': 1, 'length_penalty': 1, 'early_stopping': False, 'postprocess': 'none'}


def manifest(config, graphs, out, concepts, about):
    e, t, lm, pd = config.encoder, config.tokenizer, config.language_model, config.pixel_decoder
    size = f'{pd.picture_size}x{pd.picture_size}'
    return {
        'schema': 1, 'name': 'lavit-mini', 'family': 'lavit', 'version': about['version'],
        'description': 'LaVIT in miniature, trained from scratch on pictograms and scenes of them. It knows a closed '
                       'world, pictograms on coloured grounds. About anything else, a photograph too, it answers as '
                       'well, and wrongly; of most of these it says that they are unlike what it knows.',
        'image': {'size': e.image_size, 'grid': {'rows': e.grid, 'columns': e.grid}},
        'visual_tokenizer': {'feature_dim': e.width, 'codebook_size': t.codebook_size,
                             'min_visual_tokens': t.min_visual_tokens, 'selection': 'threshold'},
        'language_model': {'layers': lm.layers, 'kv_heads': lm.kv_heads, 'head_dim': lm.head_dim,
                           'hidden_size': lm.hidden, 'vocabulary_size': config.vocabulary,
                           'max_length': lm.max_length, 'candidates': candidates(config)},
        'ids': {'end': 2, 'image_start': config.image_start, 'image_end': config.image_end,
                'visual_offset': config.visual_offset},
        'prompts': {'question': 'Question: {question} Answer:'},
        'tasks': {'caption': {**TEXT, 'num_beams': 2}, 'vqa': TEXT,
                  'generate': {'max_tokens': e.patches, 'min_tokens': t.min_visual_tokens, 'temperature': TEMPERATURE,
                               'top_p': 1, 'top_k': TOP_K, 'guidance_scale': GUIDANCE, 'mixed_guidance_scale': GUIDANCE,
                               'decoder_guidance_scale': 1, 'steps': about.get('steps', 0), 'size': size}},
        'pixel_decoder': {'sizes': [size], 'latent_channels': 3, 'latent_scale': 1, 'scaling_factor': 1,
                          'max_steps': 50, 'schedule': {'kind': 'flow'}},
        'graphs': graphs,
        'tokenizer': digest(out / 'tokenizer.json'),
        **({'familiarity': about['familiarity']} if 'familiarity' in about and 'familiarity' in graphs else {}),
        'provenance': {'recipe': 'models/recipe', 'house_style': HOUSE_STYLE, **about.get('provenance', {})},
        'quality': about.get('quality', {}), 'concepts': concepts,
    }


SHARES = {'familiarity': 1e-3, 'painter': 1e-3}  # what is allowed of sums that may be large, and of steep outlines
GAPS = {'fp16': 1e-2, 'int8': .05, 'int4': .3}  # of outputs of graphs, as shares of the largest


def fold_norms(module):
    """Puts norms of batches into the convolutions before them: what is stored is then what is multiplied."""
    for layers in (part for part in module.modules() if isinstance(part, nn.Sequential)):
        for i, (before, norm) in enumerate(zip(layers, [*layers][1:])):
            if isinstance(norm, nn.BatchNorm2d):
                layers[i], layers[i + 1] = fuse_conv_bn_eval(before, norm), nn.Identity()


class Held:
    """A parameter, as `write_graph` takes it."""

    def __init__(self, parameter):
        self.parameter, self.size, self.dtype = parameter, parameter.numel(), parameter.dtype

    def read(self): return self.parameter.detach()


def write_for_device(name, definition, inputs, precision, out, layers):
    """The graph's entry in the manifest; `inputs` are real ones."""
    module, example, *_ = definition
    stored = {parameter: Held(parameter) for parameter in module.parameters()}
    entry = write_graph(name, definition, stored, precision_of(precision, 'webgpu'), out, layers)
    gap = check(name, module, (example, inputs), out / entry['file'], layers, GAPS[precision])
    size = entry['bytes'] + sum(file['bytes'] for file in entry['data'])
    print(f'{name}: {size / 1e6:.1f} MB, gap {gap:.1e}')
    return {**entry, **described(name, out / entry['file'])}


def write_for_processors(name, definition, inputs, ranges, out, layers):
    """The graph's entry in the manifest; `inputs` are real ones, `ranges` those of its activations."""
    module, example, outputs, dynamic = definition
    path = out / f'{name}.onnx'
    export_graph(module, example, outputs, dynamic, layers, path)
    gap = check(name, module, (example, inputs), path, layers, SHARES.get(name, TOLERANCE))
    if ranges:
        round_activations(path, ranges)
        if name == 'language_model':
            fuse(path, MINI.language_model.max_length)
        else:
            fuse_vision(path)
    print(f'{name}: {path.stat().st_size / 1e6:.1f} MB, gap {gap:.1e}')
    return described(name, path)


@torch.no_grad()
def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', help='folder of safetensors files; without it the weights are random')
    parser.add_argument('--concepts', default='recipe/art/concepts.json')
    parser.add_argument('--count', type=int, default=CONCEPTS, help='how many of the concepts the model knows')
    parser.add_argument('--about', help='JSON file: version, steps, provenance, quality')
    parser.add_argument('--pictures', default='../test/fixtures', help='folder of PNG files to check the graphs on')
    parser.add_argument('--bits', type=int, choices=(8, 16), default=8, help='of the matrices')
    parser.add_argument('--device-precision', choices=GAPS, help='a package for GPUs, in place of --bits')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json', help='goes into the package')
    parser.add_argument('--out', required=True, help='folder of the package')
    args = parser.parse_args(arguments)
    require_files(parser, args.concepts, args.about, args.tokenizer, NOTICE)
    pictures = sorted(Path(args.pictures).glob('*.png'))
    if not pictures:
        parser.error(f'{args.pictures}: no PNG files to check the graphs on')
    if args.weights and not Path(args.weights).is_dir():
        parser.error(f'{args.weights}: no such folder')
    if Path(args.out).is_file():
        parser.error(f'{args.out}: is a file')
    about = json.loads(Path(args.about).read_text()) if args.about else {'version': '0.0.0'}
    model = build(MINI, args.count)
    if args.weights:
        load_weights(model, args.weights)
    round_weights(model, 16 if args.device_precision else args.bits)
    if args.device_precision:
        fold_norms(model.encoder)
    layers = MINI.language_model.layers
    ranges = ranges_of(args.weights) if args.weights and args.bits == 8 else {}
    real, graphs = real_inputs(model, pictures), {}
    labels = [c['label'] for c in json.loads(Path(args.concepts).read_text())[:args.count]]
    if args.device_precision:
        about['provenance'] = {**about.get('provenance', {}), 'precision': args.device_precision, 'device': 'webgpu'}
    with renewed(Path(args.out)) as out:
        for source, name in ((args.tokenizer, 'tokenizer.json'), (NOTICE, 'NOTICE')):
            shutil.copyfile(source, out / name)
        for name, definition in definitions(model).items():
            if args.device_precision:
                graphs[name] = write_for_device(name, definition, real[name], args.device_precision, out, layers)
            else:
                graphs[name] = write_for_processors(name, definition, real[name], ranges.get(name), out, layers)
        text = json.dumps(manifest(MINI, graphs, out, labels, about), indent=2)
        (out / 'manifest.json').write_text(text + '\n')


if __name__ == '__main__':
    main()
