"""The file of results, to which several calls may write at once, and its table in the model card."""
import fcntl
import json
from statistics import mean

from ..card.table import NONE, QUESTIONS, markdown, replace, share, two
from .variants import VARIANTS

START, STOP = '<!-- ablations: written by recipe.ablations -->\n', '<!-- /ablations -->'


def read(path): return json.loads(path.read_text()) if path.exists() and path.stat().st_size else None


def check(path, settings):
    """The variants and seeds that are done; results of other settings are not mixed with these."""
    found = read(path)
    if found and found['settings'] != settings:
        changed = [k for k in settings if found['settings'].get(k) != settings[k]]
        raise SystemExit(f'{path} holds results of other settings: {", ".join(changed)}')
    return {(run['variant'], run['seed']) for run in found['runs']} if found else set()


def add(path, settings, run):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = read(path) or {'settings': settings, 'runs': []}
        found['runs'].append(run)
        file.truncate(0)
        file.write(json.dumps(found, indent=1) + '\n')


def one(x): return f'{x:.1f}'


def rows():
    """What a row shows, the figure it shows, and how."""
    art = [(f'{name} ({kind} art)', f'{kind}_{key}', form) for kind in ('trained', 'unseen') for name, key, form in (
        ('caption: recall', 'recall', share), ('caption: precision', 'precision', share),
        ('caption: CIDEr-D', 'cider', two),
        ('VQA: all kinds', 'vqa', share), *((f'VQA: {question}', f'vqa_{question}', share) for question in QUESTIONS))]
    painted = [(f'{name}: {what}', f'{way}_painted_{what}', share) for way, name in (
        ('shipped', 'painted from words, guidance 2'), ('unguided', 'painted from words, no guidance'),
        ('greedy', 'painted from words, no guidance, no chance'), ('true', 'painted from its own codes or vectors'))
        for what in ('object', 'ground')]
    tokens = [(f'tokens painted, {name}', f'{way}_painted_tokens', one) for way, name in (
        ('shipped', 'guidance 2'), ('unguided', 'no guidance'), ('greedy', 'no guidance, no chance'))]
    return [*art, *painted, *tokens,
            ('tokens of a picture read, in training', 'read_tokens', one),
            ('tokens of a picture written, in training', 'written_tokens', one),
            ('length of a sequence read, in training', 'reading_length', one),
            ('length of a sequence painted, in training', 'painting_length', one),
            ('processor seconds of a step, median', 'seconds_per_step', two),
            ('weights that learn, millions', 'millions', two)]


def cell(runs, key, form):
    """Mean and range over the seeds."""
    values = [run['figures'][key] for run in runs if key in run['figures']]
    if not values:
        return NONE
    low, high = form(min(values)), form(max(values))
    return form(mean(values)) + (f' ({low} to {high})' if low != high else '')


def table(results):
    settings = results['settings']
    by_variant = {name: [run for run in results['runs'] if run['variant'] == name] for name in VARIANTS}
    by_variant = {name: runs for name, runs in by_variant.items() if runs}
    seeds = ', '.join(f'{name} {len(runs)}' for name, runs in by_variant.items())
    head = (f"Mean and range over seeds (runs: {seeds}). {settings['steps']} steps on {settings['concepts']} concepts, "
            f"{settings['read']} pictures read and {settings['painted']} painted in each; "
            f"{settings['scenes']} scenes of each art, {settings['prompts']} prompts; `fixed` keeps {settings['kept']} "
            'patches.')
    return f'{head}\n\n' + markdown(('figure', *by_variant), [
        (name, *(cell(runs, key, form) for runs in by_variant.values())) for name, key, form in rows()])


def fill(card, path):
    found = read(path)
    if not found:
        raise SystemExit(f'{path}: no results')
    replace(card, START, STOP, table(found))
