"""Writes a model package: `python -m recipe.export --weights recipe/weights --out lavit-mini`.

Graphs hold their weights in 8 bits and half precision (`--bits 16`: in half precision alone) and compute in single;
every graph is checked against PyTorch, on random input and on what real pictures become on their way, before the manifest
is written.
"""
import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from onnx import TensorProto, helper, numpy_helper

from .config import CONCEPTS, MINI
from .graphs import definitions, input_names
from .language_model import HIDDEN
from .model import build, load_weights
from .precision import exact_bytes, round_weights
from .scenes import HOUSE_STYLE
from .visual_tokenizer import choose, rank_order

TOLERANCE = 1e-4
HALF_FROM = 256  # smaller tensors (norms, biases, constants) stay in single precision


def export_graph(module, example, outputs, dynamic, layers, path):
    module.eval()
    program = torch.onnx.export(module, kwargs=example, dynamic_shapes=dynamic, dynamo=True, optimize=True,
                                input_names=input_names(example, layers), output_names=outputs,
                                opset_version=20, verbose=False)
    graph = program.model_proto
    shrink(graph)
    forget_origin(graph)
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString())


def forget_origin(model):
    """Drops the exporter's notes: where in which file on this machine each node and value came from."""
    graph = model.graph
    for thing in (model, graph, *model.functions, *graph.node, *graph.input, *graph.output, *graph.value_info,
                  *graph.initializer, *(node for function in model.functions for node in function.node)):
        del thing.metadata_props[:]
        thing.ClearField('doc_string')


def shrink(model):
    """Initializers that lose nothing by it become int8 with a scale, or fp16; the Cast and Mul beside them are folded by
    the runtime when it opens the graph."""
    graph = model.graph
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        whole = exact_bytes(values)
        if whole is not None:
            small = {'bytes': whole[0], 'scale': whole[1]}
            nodes = [helper.make_node('Cast', [name + '.bytes'], [name + '.whole'], to=TensorProto.FLOAT),
                     helper.make_node('Mul', [name + '.whole', name + '.scale'], [name])]
        elif np.array_equal(values.astype(np.float16).astype(np.float32), values):
            small = {'half': values.astype(np.float16)}
            nodes = [helper.make_node('Cast', [name + '.half'], [name], to=TensorProto.FLOAT)]
        else:
            continue
        graph.initializer.remove(tensor)
        graph.initializer.extend(numpy_helper.from_array(part, f'{name}.{kind}') for kind, part in small.items())
        for node in reversed(nodes):
            graph.node.insert(0, node)


def check(name, module, examples, path, layers):
    """Largest gap between PyTorch and the exported graph, on each example and on its first row alone; codes must be
    equal."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return max(gap_of(name, module, rows, session, layers)
               for example in examples for rows in (example, first_row(example)))


def first_row(example):
    return {k: [t[:1] for t in v] if isinstance(v, list) else v[:1] for k, v in example.items()}


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
    rows = model.understanding(features, keep).gather(1, places[..., None].expand(-1, -1, lm.hidden))
    head = lm.hidden // lm.heads
    return {
        'vision': {'pixels': pixels},
        'merger_codes': {'features': features, 'keep': keep},
        'merger_embeddings': {'features': features, 'keep': keep},
        'language_model': {
            'token_ids': torch.zeros(b, k, dtype=torch.long), 'embeddings': rows,
            'is_embedding': torch.ones(b, k, dtype=torch.bool), 'positions': torch.arange(k).repeat(b, 1),
            'cache_bias': torch.full((b, 1), HIDDEN),
            'cache': [torch.zeros(b, lm.heads, *((head, 1) if i % 2 == 0 else (1, head))) for i in range(2 * lm.layers)]},
        'tokenizer_decoder': {'codes': torch.nn.functional.pad(codes, (0, rest)),
                              'mask': torch.nn.functional.pad(mask, (0, rest))},
        'painter': {'condition': condition},
        'denoiser': {'latents': torch.randn_like(picture), 'timestep': torch.linspace(0, .9, b),
                     'condition': condition, 'picture': picture},
    }


def gap_of(name, module, example, session, layers):
    expected = module(**example)
    expected = expected if isinstance(expected, tuple) else (expected,)
    flat = [v for value in example.values() for v in (value if isinstance(value, list) else [value])]
    got = session.run(None, {k: v.numpy() for k, v in zip(input_names(example, layers), flat)})
    gap = 0.
    for e, g in zip(expected, got, strict=True):
        if e.dtype == torch.int64:
            assert np.array_equal(e.numpy(), g), f'{name}: codes differ'
        else:
            gap = max(gap, float(np.abs(e.numpy() - g).max() / max(1., np.abs(e.numpy()).max())))
    assert gap < TOLERANCE, f'{name}: {gap}'
    return gap


def digest(path):
    return {'file': path.name, 'sha256': hashlib.sha256(path.read_bytes()).hexdigest(), 'bytes': path.stat().st_size}


TEXT = {'num_beams': 1, 'max_tokens': 40, 'min_tokens': 1, 'temperature': 0, 'top_p': 1, 'top_k': 0,
        'repetition_penalty': 1, 'length_penalty': 1, 'early_stopping': False, 'postprocess': 'none'}


def manifest(config, graphs, out, concepts, about):
    e, t, lm, pd = config.encoder, config.tokenizer, config.language_model, config.pixel_decoder
    size = f'{pd.picture_size}x{pd.picture_size}'
    return {
        'schema': 1, 'name': 'lavit-mini', 'family': 'lavit', 'version': about['version'],
        'description': 'LaVIT in miniature, trained from scratch on pictograms and scenes of them.',
        'image': {'size': e.image_size, 'grid': {'rows': e.grid, 'columns': e.grid}},
        'visual_tokenizer': {'feature_dim': e.width, 'codebook_size': t.codebook_size,
                             'min_visual_tokens': t.min_visual_tokens, 'selection': 'threshold'},
        'language_model': {'layers': lm.layers, 'kv_heads': lm.heads, 'head_dim': lm.hidden // lm.heads,
                           'hidden_size': lm.hidden, 'vocabulary_size': config.vocabulary,
                           'max_length': lm.max_length},
        'ids': {'end': 2, 'image_start': config.image_start, 'image_end': config.image_end,
                'visual_offset': config.visual_offset},
        'prompts': {'question': 'Question: {question} Answer:'},
        'tasks': {'caption': {**TEXT, 'num_beams': 2}, 'vqa': {**TEXT, 'max_tokens': 10},
                  'generate': {'max_tokens': e.patches, 'min_tokens': t.min_visual_tokens, 'temperature': .5, 'top_p': 1,
                               'top_k': 40, 'guidance_scale': 2, 'mixed_guidance_scale': 2,
                               'decoder_guidance_scale': 1, 'steps': about.get('steps', 0), 'size': size}},
        'pixel_decoder': {'sizes': [size], 'latent_channels': 3, 'latent_scale': 1, 'scaling_factor': 1,
                          'max_steps': 50, 'schedule': {'kind': 'flow'}},
        'graphs': {name: digest(out / f'{name}.onnx') for name in graphs},
        'tokenizer': digest(out / 'tokenizer.json'),
        'provenance': {'recipe': 'models/recipe', 'house_style': HOUSE_STYLE, **about.get('provenance', {})},
        'quality': about.get('quality', {}), 'concepts': concepts,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', help='folder of safetensors files; without it the weights are random')
    parser.add_argument('--concepts', default='recipe/art/concepts.json')
    parser.add_argument('--count', type=int, default=CONCEPTS, help='how many of the concepts the model knows')
    parser.add_argument('--about', help='JSON file: version, steps, provenance, quality')
    parser.add_argument('--pictures', default='../test/fixtures', help='folder of PNG files to check the graphs on')
    parser.add_argument('--bits', type=int, choices=(8, 16), default=8, help='of the matrices')
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    out, model = Path(args.out), build(MINI)
    if args.weights:
        load_weights(model, args.weights)
    round_weights(model, args.bits)
    graphs, layers = definitions(model), MINI.language_model.layers
    real = real_inputs(model, sorted(Path(args.pictures).glob('*.png')))
    for name, (module, example, outputs, dynamic) in graphs.items():
        path = out / f'{name}.onnx'
        export_graph(module, example, outputs, dynamic, layers, path)
        gap = check(name, module, (example, real[name]), path, layers)
        print(f'{name}: {path.stat().st_size / 1e6:.1f} MB, gap {gap:.1e}')
    labels = [c['label'] for c in json.loads(Path(args.concepts).read_text())[:args.count]]
    about = json.loads(Path(args.about).read_text()) if args.about else {'version': '0.0.0'}
    text = json.dumps(manifest(MINI, graphs, out, labels, about), indent=2)
    (out / 'manifest.json').write_text(text + '\n')


if __name__ == '__main__':
    with torch.no_grad():
        main()
