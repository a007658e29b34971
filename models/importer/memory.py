"""What a package takes on disk and in memory at each precision, as a table: `python -m importer.memory PACKAGE...`.

Of an imported package computed from `manifest.json` alone. The runtime widens fp16 weights to fp32 when it opens a
graph, all but tables of which only single rows are looked up; quantised layers stay packed. Of a package for a GPU the
table has one row, of the weights as they are stored, which is how they stay. Of a package that was not imported it has
one row, too, of the weights in its graphs: the runtime widens all of them.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx

from .quantise import BLOCK

PRECISIONS = ('fp32', 'fp16', 'int8', 'int4')
BITS = {'int8': 8, 'int4': 4}
VISUAL = ('vision', 'token_predictor', 'merger_codes', 'merger_embeddings', 'tokenizer_decoder')
PAINTING = ('painter', 'denoiser', 'autoencoder_decoder')


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


def row_for_device(manifest):
    """The row of a package for a GPU: the bytes of its weights."""
    data = {name: data_bytes(graph) for name, graph in manifest['graphs'].items()}
    return [sum(data.values()), *by_part(data)]


def row_as_it_is(folder, manifest):
    """The row of a package whose precision the manifest does not tell: weights counted in the graphs."""
    graphs = manifest['graphs']
    return [sum(graph['bytes'] + data_bytes(graph) for graph in graphs.values()),
            *by_part({name: 4 * weights_of(folder / graph['file']) for name, graph in graphs.items()})]


def data_bytes(graph): return sum(part['bytes'] for part in graph.get('data', []))


def by_part(opened):
    """Bytes by graph -> of the visual parts, of the pixel decoder, of the language model, together."""
    visual, painting = (sum(opened.get(name, 0) for name in part) for part in (VISUAL, PAINTING))
    together = sum(opened.values())
    return [visual, painting, together - visual - painting, together]


def weights_of(path):
    graph = onnx.load(path, load_external_data=False).graph
    return sum(int(np.prod(tensor.dims)) for tensor in graph.initializer)


def table(folder):
    manifest = json.loads((folder / 'manifest.json').read_text())
    provenance = manifest['provenance']
    if 'device' in provenance:
        rows = {provenance['precision']: row_for_device(manifest)}
    elif 'precision' in provenance:
        rows = {precision: row(manifest, precision) for precision in PRECISIONS}
    else:
        rows = {'as it is': row_as_it_is(folder, manifest)}
    unit, size = ('GB', 1e9) if max(max(sizes) for sizes in rows.values()) > 1e9 else ('MB', 1e6)
    return [f'{manifest["name"]}, {unit}; and {cache(manifest) / size:.2f} {unit} for each running sequence of '
            f'{manifest["language_model"]["max_length"]} tokens', '',
            '| precision | on disk | memory: visual parts | pixel decoder | language model | together |',
            '|---|---|---|---|---|---|',
            *('| ' + ' | '.join([name, *(f'{value / size:.1f}' for value in sizes)]) + ' |'
              for name, sizes in rows.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('packages', metavar='PACKAGE', type=Path, nargs='+')
    for package in parser.parse_args().packages:
        if not (package / 'manifest.json').is_file():
            parser.error(f'{package}: no package, manifest.json is missing')
        print('\n'.join(table(package)), end='\n\n')


if __name__ == '__main__':
    main()
