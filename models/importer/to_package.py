"""From a checkpoint in the official LaVIT layout to a model package."""
import hashlib
import json
import re

from tqdm import tqdm

from packager.device import described
from packager.graphs import definitions
from packager.write import digest

from .checkpoint import source_files
from .errors import CheckpointError
from .layout import PIXEL_FOLDERS, open_official
from .manifest import LICENCES, PAINTING_LICENCES, manifest
from .pixel_decoder import open_pixel_decoder
from .staging import require_space, staged
from .stream import bytes_needed, precision_of, write_graph
from .tokenizer import convert

SPARE = 64 << 20  # graphs, manifest and padding


def import_checkpoint(checkpoint, out, precision='fp16', pixel_decoder='none', model_sub_dir='language_model',
                      context=768, device='cpu', quiet=False):
    """Writes the package `out`. Raises CheckpointError and leaves nothing behind when something is wrong."""
    if not re.fullmatch(r'[a-z0-9][a-z0-9._-]{0,63}', out.name):
        raise CheckpointError(f'{out.name}: a package is named with a-z, 0-9, dot, dash and underscore')
    if not checkpoint.is_dir():
        raise CheckpointError(f'{checkpoint}: no such folder')
    with staged(out) as folder:
        official = open_official(checkpoint, pixel_decoder, model_sub_dir, context)
        tokenizer = convert(checkpoint / model_sub_dir / 'tokenizer.model')
        require_room(tokenizer, official.config.image_start)
        graphs, painting = definitions(official.model), None
        if pixel_decoder != 'none':
            painting = add_pixel_decoder(official, graphs, checkpoint / PIXEL_FOLDERS[pixel_decoder])
        precise = precision_of(precision, device)
        needed = sum(bytes_needed(name, key, p, precise) for name, (module, *_) in graphs.items()
                     for key, p in module.named_parameters()) + SPARE
        require_space(folder, needed)
        if not quiet:
            print(f'{out}: about {needed / 1e9:.1f} GB')
        files = source_files(*official.states)
        sources = [fingerprint(file, quiet) for file in files]
        entries = write_graphs(graphs, official.stored, precise, folder, official.config.language_model.layers, quiet)
        (folder / 'tokenizer.json').write_text(json.dumps(tokenizer, ensure_ascii=False) + '\n')
        made_for = {'device': device} if device != 'cpu' else {}
        provenance = {'recipe': 'models/importer', 'precision': precision, **made_for, 'sources': sources,
                      'licences_of_the_official_weights': LICENCES + PAINTING_LICENCES[pixel_decoder]}
        text = manifest(out.name, official.config, painting, entries, digest(folder / 'tokenizer.json'), provenance)
        (folder / 'manifest.json').write_text(json.dumps(text, indent=2) + '\n')


def add_pixel_decoder(official, graphs, folder):
    """Its graphs and weights join the others; returns the manifest's `pixel_decoder`."""
    more, stored, states, part = open_pixel_decoder(folder, official.config.encoder.patches)
    decoder, example = official.model.decoder, more['denoiser'][1]
    for name, width in zip(decoder.outputs, decoder.widths, strict=True):
        if name not in example or example[name].shape[-1] != width:
            raise CheckpointError(
                f'{folder.name}/unet: its {name} does not fit the {width} channels of the tokenizer decoder')
    graphs.update(more)
    official.stored.update(stored)
    official.states.extend(states)
    return part


def write_graphs(graphs, stored, precision, folder, layers, quiet):
    total = sum(stored[p].size * stored[p].dtype.itemsize for module, *_ in graphs.values()
                for p in module.parameters())
    entries = {}
    with tqdm(total=total, unit='B', unit_scale=True, disable=quiet) as bar:
        for name, definition in graphs.items():
            bar.set_description(name)
            entry = write_graph(name, definition, stored, precision, folder, layers, bar.update)
            entries[name] = entry | described(name, folder / entry['file'])
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


def require_room(tokenizer, image_start):
    """Raises CheckpointError where pieces would have ids of pictures."""
    pieces = len(tokenizer['model']['vocab'])
    if pieces > image_start:
        raise CheckpointError(f'tokenizer.model: has {pieces} pieces, the language model {image_start} text ids')
