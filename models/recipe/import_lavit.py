"""Makes a model package of a checkpoint in the official LaVIT layout:
`python -m recipe.import_lavit CHECKPOINT OUT --precision int4 --pixel-decoder none`.

Weights go from file to file one tensor at a time, so memory stays far below the size of the model. OUT appears when
everything is written, or not at all.
"""
import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path

from tqdm import tqdm

from .export import digest
from .graphs import definitions
from .official.checkpoint import CheckpointError, source_files
from .official.layout import PIXEL_FOLDERS, open_official
from .official.manifest import manifest
from .official.pixel_decoder import open_pixel_decoder
from .official.staging import require_space, staged
from .official.stream import PRECISIONS, bytes_needed, write_graph
from .official.tokenizer import convert

SPARE = 64 << 20  # graphs, manifest and padding


def import_checkpoint(checkpoint, out, precision='fp16', pixel_decoder='none', model_sub_dir='language_model',
                      context=768, quiet=False):
    """Writes the package `out`. Raises CheckpointError and leaves nothing behind when something is wrong."""
    if not re.fullmatch(r'[a-z0-9][a-z0-9._-]{0,63}', out.name):
        raise CheckpointError(f'{out.name}: a package is named with a-z, 0-9, dot, dash and underscore')
    if not checkpoint.is_dir():
        raise CheckpointError(f'{checkpoint}: no such folder')
    with staged(out) as folder:
        official = open_official(checkpoint, pixel_decoder, model_sub_dir, context)
        tokenizer = convert(checkpoint / model_sub_dir / 'tokenizer.model')
        graphs, painting = definitions(official.model), None
        if pixel_decoder != 'none':
            painting = add_pixel_decoder(official, graphs, checkpoint / PIXEL_FOLDERS[pixel_decoder])
        precise = PRECISIONS[precision]
        needed = sum(bytes_needed(name, key, p, precise) for name, (module, *_) in graphs.items()
                     for key, p in module.named_parameters()) + SPARE
        require_space(folder, needed)
        if not quiet:
            print(f'{out}: about {needed / 1e9:.1f} GB')
        files = source_files(*official.states)
        sources = [fingerprint(file, quiet) for file in files]
        entries = write_graphs(graphs, official.stored, precise, folder, official.config.language_model.layers, quiet)
        (folder / 'tokenizer.json').write_text(json.dumps(tokenizer, ensure_ascii=False) + '\n')
        provenance = {'recipe': 'models/recipe/import_lavit.py', 'precision': precision, 'sources': sources}
        text = manifest(out.name, official.config, painting, entries, digest(folder / 'tokenizer.json'), provenance)
        (folder / 'manifest.json').write_text(json.dumps(text, indent=2) + '\n')


def add_pixel_decoder(official, graphs, folder):
    """Its graphs and weights join the others; returns the manifest's `pixel_decoder`."""
    more, stored, states, part = open_pixel_decoder(folder, official.config.encoder.patches)
    decoder, example = official.model.decoder, more['denoiser'][1]
    for name, width in zip(decoder.outputs, decoder.widths, strict=True):
        if name not in example or example[name].shape[-1] != width:
            raise CheckpointError(f'{folder.name}/unet: its {name} does not fit the {width} channels of the tokenizer decoder')
    graphs.update(more)
    official.stored.update(stored)
    official.states.extend(states)
    return part


def write_graphs(graphs, stored, precision, folder, layers, quiet):
    total = sum(stored[p].size * stored[p].dtype.itemsize for module, *_ in graphs.values() for p in module.parameters())
    entries = {}
    with tqdm(total=total, unit='B', unit_scale=True, disable=quiet) as bar:
        for name, definition in graphs.items():
            bar.set_description(name)
            entries[name] = write_graph(name, definition, stored, precision, folder, layers, bar.update)
        bar.update(total - bar.n)  # what no graph uses, and small tensors
    return entries


def fingerprint(file, quiet):
    sha256, size = hashlib.sha256(), file.path.stat().st_size
    with open(file.path, 'rb') as content, tqdm(total=size, unit='B', unit_scale=True, desc=f'sha256 {file.label}',
                                                disable=quiet, leave=False) as bar:
        while chunk := content.read(1 << 20):
            sha256.update(chunk)
            bar.update(len(chunk))
    return {'file': file.label, 'sha256': sha256.hexdigest(), 'bytes': size}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='folder with visual_tokenizer/ and language_model/')
    parser.add_argument('out', metavar='OUT', help='folder of the package, which must not exist; its name names the model')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp16')
    parser.add_argument('--pixel-decoder', choices=['lowres', 'highres', 'none'], default='none')
    parser.add_argument('--model-sub-dir', default='language_model')
    parser.add_argument('--context', type=int, default=768, help='longest sequence that the server keeps a cache for')
    args = parser.parse_args(arguments)
    here = Path(os.environ.get('INIT_CWD', '.'))  # where `npm run import` was typed
    try:
        import_checkpoint(here / args.checkpoint, here / args.out, args.precision, args.pixel_decoder,
                          args.model_sub_dir, args.context)
    except (CheckpointError, OSError) as error:
        print(f'import_lavit: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
