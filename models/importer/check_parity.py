"""How far a package is from recorded outputs of the official modules, stage by stage:
`python -m importer.check_parity [PACKAGE RECORDED.safetensors] [--tolerance 1e-4]`, by default of the tests' fixtures.

Gaps are relative to the largest recorded value of a stage, or 1 where that is smaller. Codes and token ids must be
equal.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

from packager.graphs import LEAST_TEXT_ID

HIDDEN = -1e9
FIXTURES = Path(__file__).parents[2] / 'test/fixtures'


class Row:
    """One sequence of the language model and its cache."""

    def __init__(self, graphs, sizes):
        self.graphs, self.length, self.hidden = graphs, 0, sizes['hidden_size']
        heads, head = sizes['kv_heads'], sizes['head_dim']
        shapes = [(1, heads, head, 0), (1, heads, 0, head)] * sizes['layers']
        self.cache = [np.zeros(shape, np.float32) for shape in shapes]
        self.names = [f'cache_{kind}.{i}' for i in range(sizes['layers']) for kind in ('keys', 'values')]

    def read(self, inputs):
        """Token ids (T), or embeddings (T, H) -> log-probabilities (V) after the last."""
        embedded = inputs.ndim == 2
        t, past = len(inputs), max(self.length, 1)
        empty = self.length == 0
        cache = [np.zeros([1 if side == 0 else side for side in c.shape], np.float32) if empty else c
                 for c in self.cache]
        states, *new = self.graphs['language_model'].run(None, {
            'token_ids': np.zeros((1, t), np.int64) if embedded else inputs[None].astype(np.int64),
            'embeddings': inputs[None] if embedded else np.zeros((1, t, self.hidden), np.float32),
            'is_embedding': np.full((1, t), embedded), 'positions': np.arange(t)[None] + self.length,
            'cache_bias': np.full((1, past), HIDDEN if empty else 0, np.float32), **dict(zip(self.names, cache))})
        self.cache = [np.concatenate([c, n], 3 if i % 2 == 0 else 2) for i, (c, n) in enumerate(zip(self.cache, new))]
        self.length += t
        return self.log_probabilities(states)

    def log_probabilities(self, states):
        words, = self.graphs['text_head'].run(None, {'states': states})
        one, yes = np.zeros(1, np.int64), np.ones(1, bool)
        *_, visual = self.graphs['visual_head'].run(None, {
            'states': states, 'conditional': one, 'unconditional': one, 'guidance_scale': np.ones(1, np.float32),
            'may_end': yes, 'may_skip': yes})
        return np.concatenate([words[0], visual[0, LEAST_TEXT_ID:]])


def check(package, recorded):
    """name of a stage -> largest gap; True or False where equality is asked."""
    manifest = json.loads((package / 'manifest.json').read_text())
    r = load_file(recorded)
    return {**visual(package, r), **decoded(package, r), **language(package, manifest, r)}


def session(path): return onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])


def free(logits):
    """Without the normaliser, which a few of the ids do not tell."""
    return logits - logits[..., :1]


def gap(got, expected): return float(np.abs(got - expected).max() / max(1., np.abs(expected).max()))


def with_merger_output(path):
    """The merger's rows come out too: what enters the layer after its last norm."""
    model = onnx.load(path)
    [norm] = [n for n in model.graph.node if 'tokenizer.causal_encoder.norm.weight' in n.input]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(norm.output[0]))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])


def visual(package, r):
    features, = session(package / 'vision.onnx').run(
        None, {'pixels': np.ascontiguousarray(r['image.resized'].transpose(0, 3, 1, 2))})
    log_probabilities, = session(package / 'token_predictor.onnx').run(None, {'x': features})
    kept = r['selector.decision'].astype(bool)
    codes_graph = with_merger_output(package / 'merger_codes.onnx')
    embeddings_graph = session(package / 'merger_embeddings.onnx')
    kept_of = [{'features': features[b:b + 1], 'places': np.flatnonzero(kept[b])[None]} for b in range(len(kept))]
    codes, merged = zip(*(codes_graph.run(None, one) for one in kept_of))
    rows = np.concatenate([embeddings_graph.run(None, one)[0] for one in kept_of], 1)[0]
    found = {
        'vision: features': gap(features, r['encoder.features']),
        'token_predictor: log-probabilities': gap(log_probabilities, r['predictor.log_probs']),
        'token_predictor: keep decision': np.array_equal(log_probabilities[..., 0] >= log_probabilities[..., 1], kept),
        'merger_codes: merger output': gap(np.concatenate(merged), r['merger.output']),
        'merger_codes: codes': np.array_equal(np.concatenate(codes, 1)[0], r['quantizer.codes']),
        'merger_embeddings: vit_proj': gap(rows, r['understanding.vit_proj'][kept]),
    }
    n = features.shape[1]
    for name, count in {'all_keep': n, 'first_only': 1}.items():
        _, merged = codes_graph.run(None, {'features': features[:1], 'places': np.arange(count)[None]})
        found[f'merger_codes: {name}'] = gap(merged, r[f'edge.{name}.merger_output'])
    return found


def decoded(package, r):
    """The tokenizer decoder, if the package has one."""
    if not (package / 'tokenizer_decoder.onnx').exists():
        return {}
    n = r['selector.decision'].shape[1]
    codes, mask = np.zeros((len(r['selector.token_nums']), n), np.int64), np.zeros((len(r['selector.token_nums']), n))
    starts = np.cumsum(r['selector.token_nums']) - r['selector.token_nums']
    for i, (start, count) in enumerate(zip(starts, r['selector.token_nums'])):
        codes[i, :count], mask[i, :count] = r['quantizer.codes'][start:start + count], 1
    outputs = session(package / 'tokenizer_decoder.onnx').run(None, {'codes': codes, 'mask': mask.astype(np.float32)})
    if len(outputs) == 1:
        return {'tokenizer_decoder: lowres condition': gap(outputs[0], r['lowres.cond'])}
    return {'tokenizer_decoder: highres condition': gap(outputs[0], r['highres.prompt_embeds']),
            'tokenizer_decoder: highres pooled': gap(outputs[1], r['highres.pooled'])}


def language_graphs(package):
    return {name: session(package / f'{name}.onnx') for name in ('language_model', 'text_head', 'visual_head')}


def language(package, manifest, r):
    graphs = language_graphs(package)
    sizes, start = manifest['language_model'], manifest['ids']['image_start']
    suppressed = np.arange(sizes['vocabulary_size']) >= start

    def new(): return Row(graphs, sizes)

    def unpadded(name):
        return [x[m.astype(bool)] for x, m in zip(r[f'{name}.inputs_embeds'], r[f'{name}.attention_mask'])]

    stepwise, at_once, captions, answers, last = [], [], [], [], []
    for row, mask, recorded in zip(unpadded('caption'), r['caption.attention_mask'], r['caption.logits']):
        logits = recorded[mask.astype(bool)]
        one = new()
        stepwise.append(gap(free(np.stack([one.read(x[None])[r['logit_ids']] for x in row])), free(logits)))
        one = new()
        first = one.read(row)
        at_once.append(gap(free(first[r['logit_ids']]), free(logits[-1])))
        captions.append(greedy(one, first, 36, 8, suppressed))
    for row, recorded in zip(unpadded('vqa'), r['vqa.last_logits']):
        one = new()
        first = one.read(row)
        last.append(gap(free(first[r['logit_ids']]), free(recorded)))
        answers.append(greedy(one, first, 10, 2, suppressed))
    return {
        'language_model: logits, whole prompt': max(at_once), 'language_model: logits, token by token': max(stepwise),
        'language_model: logits, question': max(last),
        'language_model: greedy captions': same(captions, r['caption.greedy']),
        'language_model: greedy answers': same(answers, r['vqa.greedy']),
        'language_model: greedy codes, guided': same(
            [guided(new(), new(), ids[m.astype(bool)], 4, 40, start)
             for ids, m in zip(r['t2i.prompt_ids'], r['t2i.attention_mask'])], r['t2i.greedy']),
        'language_model: greedy codes, picture in the prompt': same(
            [guided(new(), new(), r['mm.prompt_ids'][0], 5, r['mm.greedy'].shape[1], start)], r['mm.greedy'])}


def greedy(row, logits, most, least, suppressed, end=2):
    ids = []
    while len(ids) < most and end not in ids:
        scores = np.where(suppressed, -np.inf, logits)
        scores[end] = -np.inf if len(ids) < least else scores[end]
        ids.append(int(scores.argmax()))
        logits = row.read(np.array(ids[-1:]))
    return ids


def guided(row, free, prompt, scale, most, start, least=6):
    """The unconditional context is the image start alone."""
    logits, without = row.read(prompt), free.read(np.array([start]))
    ids, end = [], start + 1
    while len(ids) < most and end not in ids:
        scores = without + scale * (logits - without)
        scores[3:start] = -np.inf
        scores[end] = -np.inf if len(ids) < least else scores[end]
        ids.append(int(scores.argmax()))
        logits, without = row.read(np.array(ids[-1:])), free.read(np.array(ids[-1:]))
    return ids


def same(rows, recorded, padding=2):
    return all(np.array_equal(np.pad(ids, (0, recorded.shape[1] - len(ids)), constant_values=padding), expected)
               for ids, expected in zip(rows, recorded, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('package', type=Path, nargs='?', default=FIXTURES / 'lavit-golden')
    parser.add_argument('recorded', type=Path, nargs='?', default=FIXTURES / 'lavit-golden-io.safetensors')
    parser.add_argument('--tolerance', type=float, default=1e-4)
    args = parser.parse_args()
    for file in (args.package / 'manifest.json', args.recorded):
        if not file.is_file():
            parser.error(f'{file}: no such file')
    found = check(args.package, args.recorded)
    for stage, value in found.items():
        print(f'{stage:52} {("equal" if value else "DIFFERENT") if isinstance(value, bool) else f"{value:.1e}"}')
    return int(any(not value if isinstance(value, bool) else value > args.tolerance for value in found.values()))


if __name__ == '__main__':
    sys.exit(main())
