"""Measures what the graphs' products take: `python -m recipe.ranges --weights recipe/weights`.

Over freshly drawn scenes of the training: seen, spoken about, asked for and painted. Writes `ranges.json` beside the
weights, from which `recipe.export` rounds activations to 8 bits. It holds for these very weights.
"""
import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from networks.config import CONCEPTS, MINI
from networks.language_model import HIDDEN
from networks.model import build, load_weights
from networks.visual_tokenizer import choose
from packager.activations import GRAPHS, harmless, observe
from packager.graphs import definitions, input_names
from packager.precision import round_weights
from packager.write import export_graph

from .data.scenes import Sprites
from .inputs import require_files, require_sprites
from .stages.language_model import Sentences, make

TRIED_OF = 10  # of so many runs one tells what rounding does
SEED = 2_000_003  # other scenes than those of the training and of the evaluations


@torch.no_grad()
def feeds(model, sprites, sentences, count):
    """Inputs by graph, one scene at a time, as a server would make them."""
    rng = np.random.default_rng(SEED)
    taken = {name: [] for name in GRAPHS}
    for _ in range(count):
        seen, _, (ids, branch, *_), prompts, wanted, _ = make(sentences, sprites, rng, speak=1, paint=1)
        for pixels, is_seen in ((seen, True), (wanted[:1], False)):
            features = model.encoder(model.encoder.normalise(pixels))
            scores = model.tokenizer.token_predictor(features)[..., 0].exp()
            keep = choose(scores, least=MINI.tokenizer.min_visual_tokens)
            taken['vision'].append({'pixels': pixels})
            kept = keep[0].bool()
            places = kept.nonzero().T
            taken['merger_codes'].append({'features': features, 'places': places})
            taken['merger_embeddings'].append({'features': features, 'places': places})
            start, end = torch.tensor([[MINI.image_start]]), torch.tensor([[MINI.image_end]])
            if is_seen:
                rows = model.understanding(model.memory(features), keep)[:, kept]
                for number in range(1, int(branch.max()) + 1):
                    taken['language_model'].append(step(start, rows, torch.cat([end, ids[branch == number][None]], 1)))
            else:
                codes = model.tokenizer(features, keep)[:, kept] + MINI.visual_offset
                words = torch.tensor([prompts[0]], dtype=torch.long).reshape(1, -1)
                none = torch.zeros(1, 0, MINI.language_model.hidden)
                taken['language_model'].append(step(torch.cat([words, start, codes], 1), none, end))
    return taken


def step(before, rows, after):
    """Ids (1, K), embeddings (1, R, H) and ids (1, L) as one read with an empty past."""
    lm, r = MINI.language_model, rows.shape[1]
    ids = torch.cat([before, torch.zeros(1, r, dtype=torch.long), after], 1)
    embeddings, is_embedding = torch.zeros(1, ids.shape[1], lm.hidden), torch.zeros(1, ids.shape[1], dtype=torch.bool)
    place = slice(before.shape[1], before.shape[1] + r)
    embeddings[:, place], is_embedding[:, place] = rows, True
    return {'token_ids': ids, 'embeddings': embeddings, 'is_embedding': is_embedding,
            'positions': torch.arange(ids.shape[1])[None], 'cache_bias': torch.full((1, 1), HIDDEN),
            'cache': [torch.zeros(1, *shape) for shape in lm.cache(1)]}


def flat(feed):
    """As the graph takes it: the cache one array for each layer's keys and values."""
    values = [v for value in feed.values() for v in (value if isinstance(value, list) else [value])]
    return {name: value.numpy() for name, value in zip(input_names(feed, MINI.language_model.layers), values)}


def digest_of(weights):
    """Of the parts whose graphs have ranges."""
    sha256 = hashlib.sha256()
    for part in ('encoder', 'tokenizer', 'memory', 'understanding', 'language_model'):
        sha256.update((Path(weights) / f'{part}.safetensors').read_bytes())
    return sha256.hexdigest()


def ranges_of(weights):
    """By graph, as measured for these weights; none where none were measured."""
    path = Path(weights) / 'ranges.json'
    if not path.exists():
        return {}
    measured = json.loads(path.read_text())
    if measured['weights'] != digest_of(weights):
        raise SystemExit(f'{path} was measured for other weights: run python -m recipe.ranges --weights {weights}')
    return measured['graphs']


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', default='recipe/weights')
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--scenes', type=int, default=200)
    args = parser.parse_args(arguments)
    require_files(parser, Path(args.weights) / 'encoder.safetensors', args.tokenizer)
    require_sprites(parser, args.sprites)
    model = build(MINI, args.concepts)
    load_weights(model, args.weights)
    round_weights(model)
    graphs = definitions(model)
    taken = feeds(model, Sprites(args.sprites, args.concepts), Sentences(args.tokenizer, args.concepts), args.scenes)
    ranges = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in GRAPHS:
            module, example, outputs, dynamic = graphs[name]
            path = Path(folder) / f'{name}.onnx'
            export_graph(module, example, outputs, dynamic, MINI.language_model.layers, path)
            inputs = list(map(flat, taken[name]))
            ranges[name] = harmless(path, observe(path, inputs), inputs[::TRIED_OF])
            print(f'{name}: {len(ranges[name])} ranges of {len(taken[name])} runs')
    measured = {'weights': digest_of(args.weights), 'graphs': ranges}
    (Path(args.weights) / 'ranges.json').write_text(json.dumps(measured, indent=1) + '\n')


if __name__ == '__main__':
    main()
