"""What a package takes on disk and in memory at each precision, as a table: `python -m importer.memory PACKAGE...`.

Computed from `manifest.json` alone. The runtime widens fp16 weights to fp32 when it opens a graph, all but tables of
which only single rows are looked up; quantised layers stay packed.
"""
import argparse
import json
from pathlib import Path

from .quantise import BLOCK

PRECISIONS = ('fp32', 'fp16', 'int8', 'int4')
BITS = {'int8': 8, 'int4': 4}
VISUAL = ('vision', 'token_predictor', 'merger_codes', 'merger_embeddings', 'tokenizer_decoder')
PAINTING = ('denoiser', 'autoencoder_decoder')


def stored(precision): return 4 if precision == 'fp32' else 2      # bytes of a weight that is not quantised


def linear(bits):
    """Bytes of a weight in a quantised layer: with its share of a scale and a zero point."""
    return (BLOCK * bits + 32 + bits) / 8 / BLOCK


def held(precision):
    """Bytes of a weight in the language model's head, and in its other linear layers."""
    if precision in BITS:
        return linear(8), linear(BITS[precision])
    return stored(precision), stored(precision)


def weights(manifest):
    """How many a package holds: of the visual parts, of the pixel decoder, and in the table (as many as in each of the
    two heads) and the other linear layers of the language model."""
    precision, sizes = manifest['provenance']['precision'], manifest['language_model']
    files = {name: sum(part['bytes'] for part in graph['data']) for name, graph in manifest['graphs'].items()}
    table = sizes['vocabulary_size'] * sizes['hidden_size']
    _, layer = held(precision)

    def of(names): return sum(files.get(name, 0) for name in names) / stored(precision)

    return of(VISUAL), of(PAINTING), table, (files['language_model'] - table * stored(precision)) / layer


def row(manifest, precision):
    visual, painting, table, layers = weights(manifest)
    head, layer = held(precision)
    disk = (visual + painting + table) * stored(precision) + 2 * table * head + layers * layer
    if precision not in BITS:
        head = layer = 4
    opened = [visual * 4, painting * 4, table * (stored(precision) + 2 * head) + layers * layer]
    return [disk, *opened, sum(opened)]


def cache(manifest):
    """Bytes of keys and values for one sequence of the longest kind."""
    sizes = manifest['language_model']
    return 4 * 2 * sizes['layers'] * sizes['kv_heads'] * sizes['head_dim'] * sizes['max_length']


def table(manifest):
    lines = [f'{manifest["name"]}, GB; and {cache(manifest) / 1e9:.2f} GB for each running sequence of '
             f'{manifest["language_model"]["max_length"]} tokens', '',
             '| precision | on disk | memory: visual parts | pixel decoder | language model | together |',
             '|---|---|---|---|---|---|']
    return lines + ['| ' + ' | '.join([precision, *(f'{size / 1e9:.1f}' for size in row(manifest, precision))]) + ' |'
                    for precision in PRECISIONS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('packages', type=Path, nargs='+')
    for package in parser.parse_args().packages:
        print('\n'.join(table(json.loads((package / 'manifest.json').read_text()))), end='\n\n')


if __name__ == '__main__':
    main()
