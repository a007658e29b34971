"""What LaVIT-7B takes of a GPU's memory at each precision, as a table: `python -m importer.device_memory --slots 4 16`.

Counted from the sizes of the official model, without its weights. Of a package for the processor half precision is
widened; one for a GPU (`--device webgpu`) stays as it is stored. The pixel decoder is left out.
"""
import argparse
from types import SimpleNamespace

from networks.config import FULL
from networks.language_model import LanguageModel
from networks.visual_tokenizer import DynamicTokenizer, UnderstandingMerger, VisionEncoder
from packager.graphs import definitions

from .memory import cache
from .module import without_weights
from .stream import bits_of, bytes_needed, is_streamed, precision_of

PACKAGES = (('cpu', 'fp16'), ('cpu', 'int4'), ('webgpu', 'fp16'), ('webgpu', 'int8'), ('webgpu', 'int4'))
LANGUAGE = ('language_model', 'text_head', 'visual_head')
BESIDE = 6  # sequences that have a cache beside those of LAVIT_SLOTS: four in reserve, a spare one, a copy
VALUES_OF_PATCH = 64  # times a feature's width that the vision graph holds of each patch, as the server takes it
GB = 1e9


def full_model():
    e, t, lm = FULL.encoder, FULL.tokenizer, FULL.language_model
    return SimpleNamespace(
        config=FULL, memory=None, decoder=None, painter=None, denoiser=None, familiarity=None,
        encoder=without_weights(lambda: VisionEncoder(e)), tokenizer=without_weights(lambda: DynamicTokenizer(e, t)),
        understanding=without_weights(lambda: UnderstandingMerger(e, t, lm.hidden)),
        language_model=without_weights(lambda: LanguageModel(lm, FULL.vocabulary)))


def taken(graph, name, parameter, precision):
    """Bytes of a parameter once its graph is open."""
    is_kept = precision.stays or not is_streamed(parameter) or bits_of(graph, name, precision) or 'embed_tokens' in name
    return bytes_needed(graph, name, parameter, precision) if is_kept else 4 * parameter.numel()


def weights(graphs, precision):
    """Bytes of the visual parts and of the language model, of which each head's graph takes its head alone."""
    sums = [0, 0]
    for graph, (module, *_) in graphs.items():
        for name, parameter in module.named_parameters():
            if graph not in LANGUAGE or ('lm_head' in name) == (graph != 'language_model'):
                sums[graph in LANGUAGE] += taken(graph, name, parameter, precision)
    return sums


def table(slots, context):
    graphs, lm = definitions(full_model()), FULL.language_model
    one = cache({'language_model': {'layers': lm.layers, 'kv_heads': lm.kv_heads, 'head_dim': lm.head_dim,
                                    'max_length': context}})
    features = FULL.encoder.patches * FULL.encoder.width * VALUES_OF_PATCH
    active = 4 * max((slots[-1] + BESIDE) * FULL.vocabulary, features)
    lines = [['package for', 'precision', 'visual parts', 'language model', 'activations', 'together',
              *(f'with {n} slots' for n in slots)]]
    for device, name in PACKAGES:
        visual, language = weights(graphs, precision_of(name, device))
        whole = visual + language + active
        lines.append([device, name, *(f'{value / GB:.1f}' for value in (
            visual, language, active, whole, *(whole + (n + BESIDE) * one for n in slots)))])
    lines.insert(1, ['---'] * len(lines[0]))
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--slots', type=int, nargs='+', default=[4, 16], help='as LAVIT_SLOTS says')
    parser.add_argument('--context', type=int, default=768, help='places of a cache, as `importer` takes it')
    args = parser.parse_args()
    print('\n'.join(table(sorted(args.slots), args.context)))


if __name__ == '__main__':
    main()
