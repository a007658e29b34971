"""What single codes mean: patches of many fresh scenes that map to the same content, or to the same code."""
from collections import Counter

import numpy as np
import torch
from PIL import Image, ImageDraw

from networks.config import MINI

from ...data.batches import heldout
from ...data.scenes import NO_OBJECT
from ...stages.tokenizer import tokenize
from .sheet import INK, MARGIN, PAPER, QUIET, SHADE, WIDTH, column, heading, row, words

ROWS = {'content': 10, 'code': 5}
ACROSS, TELLING, MAP = 10, 156, 60  # patches in a row; width of what is said of it; side of the map of places
CONTENTS = MINI.tokenizer.codebook_size // MINI.encoder.patches
GAP = 6
SIDE = (WIDTH - 2 * MARGIN - TELLING - MAP - GAP * (ACROSS + 1)) // ACROSS


def what_codes_mean(eyes, sprites, words_of, seed, count):
    pixels, scenes = heldout(sprites, count, seed=seed)
    used = [(number, place, code) for number, (keep, codes) in enumerate(tokens(eyes, pixels))
            for place, code in enumerate(codes.tolist()) if keep[place]]
    rng = np.random.default_rng(seed)
    shown = Shown(pixels, scenes, words_of.labels, len(used))
    by_content, by_code = gathered(used, lambda code: code % CONTENTS), gathered(used, lambda code: code)
    note = (f'{len(by_content)} of {CONTENTS} contents in use. Shown: contents evenly spread over the ranking by use, '
            f'the most used first; patches drawn by lot from {count} fresh scenes, one a scene, with their '
            'surroundings. The map tells at which places of the picture the content occurs.')
    more = (f'{len(by_code)} of {MINI.tokenizer.codebook_size} codes in use. Shown: codes evenly spread over the '
            f'ranking of those that occur in {ACROSS} scenes.')
    return [heading('Contents, wherever they stand', note),
            column([shown.line(*entry, rng) for entry in spread(by_content, ROWS['content'])], GAP),
            heading('Codes: a content at one place', more),
            column([shown.line(*entry, rng) for entry in spread(by_code, ROWS['code'])], GAP)]


def tokens(eyes, pixels):
    """Keep mask and codes (N) of each picture."""
    with torch.no_grad():
        for part in pixels.split(50):
            _, keep, codes = tokenize(eyes.encoder, eyes.tokenizer, part)
            yield from zip(keep, codes)


def gathered(used, key_of):
    """Where each key occurs, [(scene, place)]; the most used first."""
    found = {}
    for number, place, code in used:
        found.setdefault(key_of(code), []).append((number, place))
    return sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))


def spread(ranked, count):
    """So many entries at even distances of the ranking, of those that fill a row: [(rank, key, occurrences)]."""
    full = [(rank, *entry) for rank, entry in enumerate(ranked, 1) if len({n for n, _ in entry[1]}) >= ACROSS]
    return [full[round(i)] for i in np.linspace(0, len(full) - 1, count)] if full else []


class Shown:
    """Pictures of patches and what they show."""

    def __init__(self, pixels, scenes, labels, total):
        self.pixels, self.scenes, self.labels, self.total = pixels, scenes, labels, total

    def line(self, rank, key, found, rng):
        """One row: what is said of the key, where it occurs, patches of different scenes."""
        one_each = list({number: (number, place) for number, place in (found[i] for i in rng.permutation(len(found)))}
                        .values())[:ACROSS]
        return row([self.telling(rank, found), where(found), *(self.patch(*at) for at in one_each)], GAP, middle=True)

    def telling(self, rank, found):
        """Rank and share of all tokens, and what the patches show most."""
        seen = Counter(int(self.scenes[n].labels.flat[place]) for n, place in found).most_common(2)
        names = [f'{count / len(found):.0%} {"ground" if c == NO_OBJECT else self.labels[c]}' for c, count in seen]
        return column([words(f'{ordinal(rank)}, {len(found) / self.total:.2%} of tokens', TELLING, 13, left=True),
                       *(words(name, TELLING, 12, QUIET, left=True) for name in names)], 1)

    def patch(self, number, place):
        """A patch in a frame, with the patches around it, fainter."""
        size, grid = MINI.encoder.patch_size, MINI.encoder.grid
        picture = Image.fromarray(self.pixels[number].permute(1, 2, 0).contiguous().numpy())
        y, x = (p * size for p in divmod(place, grid))
        around = Image.new('RGB', (3 * size, 3 * size), SHADE)
        around.paste(picture, (size - x, size - y))
        enlarged = around.resize((SIDE, SIDE), Image.BICUBIC)
        low, high = round(SIDE / 3), round(2 * SIDE / 3)
        faint = Image.blend(enlarged, Image.new('RGB', enlarged.size, PAPER), .5)
        faint.paste(enlarged.crop((low, low, high, high)), (low, low))
        pen = ImageDraw.Draw(faint)
        pen.rectangle((low - 2, low - 2, high + 1, high + 1), outline=PAPER)
        pen.rectangle((low - 1, low - 1, high, high), outline=INK)
        return faint


def where(found):
    """How often each place of the picture has it: the darker, the more often."""
    grid = MINI.encoder.grid
    share = np.bincount([place for _, place in found], minlength=grid ** 2).reshape(grid, grid)
    shade = 232 - (share / share.max()) ** .5 * 200
    return Image.fromarray(shade.round().astype(np.uint8)).resize((MAP, MAP), Image.NEAREST).convert('RGB')


def ordinal(n):
    return f"{n}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
