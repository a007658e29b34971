"""The table of held-out figures in the model card."""

START, STOP = '<!-- figures: written by recipe.card.evaluate -->\n', '<!-- /figures -->'
NONE = '–'
QUESTIONS = ('colour', 'count', 'total', 'exist', 'what', 'where', 'place', 'relation', 'choice')


def fill(card, quality):
    replace(card, START, STOP, table(quality))


def replace(card, start, stop, text):
    """Puts a text between two marks of the file, in place of what stands there."""
    whole = card.read_text()
    before, after = whole.split(start)[0], whole.split(stop)[1]
    card.write_text(f'{before}{start}{text}{stop}{after}')


def table(quality):
    """Two tables: what is read in trained and in unseen art, and what is painted."""
    encoder, speaking = ([quality[f'{part}_{art}'] for art in ('trained', 'unseen')]
                         for part in ('encoder', 'understanding'))
    rows = [('encoder: label of a patch', *pair(encoder, 'patch_label')),
            ('caption: things named that are there (precision)', *pair(speaking, 'precision')),
            ('caption: things there that are named (recall)', *pair(speaking, 'recall')),
            ('caption: CIDEr-D, 0 to 10, five references', *pair(speaking, 'cider')),
            ('VQA: all kinds', *pair(speaking, 'vqa')),
            *((f'VQA: {kind}' + (' (chance .50)' if kind in ('exist', 'choice') else ''),
               *pair(speaking, f'vqa_{kind}'))
              for kind in QUESTIONS),
            ('VQA in free wording that training saw, more kinds', *pair(speaking, 'trained_wording')),
            ('VQA in free wording that it never saw', *pair(speaking, 'heldout_wording'))]
    any_art, house, single = (quality[f'tokenizer_{art}'] for art in ('trained', 'house', 'house_single'))
    judge, text = quality['judge_on_true_pictures'], quality['painting_from_text']
    least = int(min(art['kept_least'] for art in (any_art, house, single)))
    counts = [any_art.get(f'kept_{n}_objects') for n in range(1, 5)]
    sizes = ', '.join(NONE if count is None else f'{count:.1f}' for count in counts)
    more = [('patches kept of 64, mean over all scenes (least)', f"{any_art['kept']:.1f} ({least})"),
            ('patches kept with one, two, three, four objects', sizes),
            ('patches kept: one emoji on plain ground; four objects',
             '; '.join(f"{quality['kept'][k]['mean']:.1f}" for k in ('emoji_on_plain_ground', 'four_objects'))),
            ('readable classes that survive the codes, any art; house style',
             f"{share(any_art['survives'])}; {share(house['survives'])}"),
            ('codes in use (perplexity), any art', f"{any_art['perplexity']:.0f}"),
            ('true codes painted: object recognised; ground right',
             f"{share(single['judged'])}; {share(single['ground'])}"),
            ('true codes painted: gradient energy as a share of the true one, single objects; house style',
             f"{share(single['gradient_energy'])}; {share(house['gradient_energy'])}"),
            ('single object painted from text: object recognised; ground right',
             f"{share(text['painted_object'])}; {share(text['painted_ground'])}"),
            ('the judge itself on true pictures: object; ground',
             f"{share(judge['object'])}; {share(judge['ground'])}")]
    return (f"{quality['scenes']} scenes each, drawn with seed {quality['seed']}.\n\n"
            + markdown(('reading', 'trained art', 'unseen art'), rows) + '\n'
            + markdown(('tokens and painting', 'figure'), more))


def pair(arts, key): return [two(art.get(key)) if key == 'cider' else share(art.get(key)) for art in arts]


def share(x): return NONE if x is None else f'{x:.3f}'.lstrip('0')


def two(x): return NONE if x is None else f'{x:.2f}'


def markdown(head, rows):
    return ''.join(f"| {' | '.join(row)} |\n" for row in (head, ['---'] * len(head), *rows))
