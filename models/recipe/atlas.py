"""What codes stand for, as one sheet: `python -m recipe.atlas --weights recipe/weights --out ../playground/src/codes`.

A code is a content at a place. For each content the sheet shows the patch that lies nearest to it, with half a patch
around it, of fresh scenes in the one style that the model paints in. Contents that no such patch became are left clear.
Writes `codes.webp` and `codes.json`, which says how to read it. The same weights give the same sheet.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from networks.config import MINI
from networks.model import build, load_weights
from packager.precision import round_weights

from .card.pictures.__main__ import concepts_of
from .data.batches import heldout
from .data.scenes import Sprites
from .inputs import require_files, require_sprites

CONTENTS = MINI.tokenizer.contents(MINI.encoder.patches)
ACROSS, BATCH = 32, 50
PATCH = MINI.encoder.patch_size
TILE = 2 * PATCH


class Nearest:
    """For each content how near the nearest patch is, and its tile (TILE, TILE, 3)."""

    def __init__(self):
        self.likeness = np.full(CONTENTS, -np.inf, np.float32)
        self.uses = np.zeros(CONTENTS, np.int64)
        self.tiles = np.zeros((CONTENTS, TILE, TILE, 3), np.uint8)

    def offer(self, picture, place, content, likeness):
        self.uses[content] += 1
        if likeness > self.likeness[content]:
            self.likeness[content], self.tiles[content] = likeness, tile_of(picture, place)


def tile_of(picture, place):
    """A patch of a picture (S, S, 3) with half a patch around it; at the rim the picture goes on as it ends."""
    y, x = (at * PATCH for at in divmod(place, MINI.encoder.grid))
    around = np.pad(picture, ((PATCH // 2, PATCH // 2), (PATCH // 2, PATCH // 2), (0, 0)), mode='edge')
    return around[y:y + TILE, x:x + TILE]


def gather(model, sprites, scenes, seed):
    found = Nearest()
    tokenizer = model.tokenizer
    contents = F.normalize(tokenizer.quantize.embedding.contents, dim=-1)
    for number in range(0, scenes, BATCH):
        pixels, _ = heldout(sprites, BATCH, seed=seed + number, styles=[sprites.house], composed=number % 2 == 0)
        features = model.encoder(model.encoder.normalise(pixels))
        keep = (tokenizer.token_predictor(features)[..., 0].exp() >= .5).float()
        z = tokenizer.project(features, keep)
        codes = tokenizer.quantize.codes(z) % CONTENTS
        likeness = (F.normalize(z[..., :contents.shape[1]], dim=-1) * contents[codes]).sum(-1)
        pictures = pixels.permute(0, 2, 3, 1).numpy()
        for scene, place in keep.nonzero().tolist():
            found.offer(pictures[scene], place, int(codes[scene, place]), float(likeness[scene, place]))
    return found


def sheet(found):
    """The tiles row by row, clear where there is none."""
    rows = -(-CONTENTS // ACROSS)
    clear = (found.uses > 0).astype(np.uint8)[:, None, None, None] * 255
    tiles = np.concatenate([found.tiles, np.broadcast_to(clear, (CONTENTS, TILE, TILE, 1))], -1)
    tiles = tiles.reshape(rows, ACROSS, TILE, TILE, 4).transpose(0, 2, 1, 3, 4)
    return Image.fromarray(tiles.reshape(rows * TILE, ACROSS * TILE, 4), 'RGBA')


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='python -m recipe.atlas', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--manifest', default='lavit-mini/manifest.json')
    parser.add_argument('--scenes', type=int, default=6000)
    parser.add_argument('--seed', type=int, default=300)
    args = parser.parse_args(arguments)
    require_files(parser, Path(args.weights) / 'judge.safetensors', args.manifest)
    require_sprites(parser, args.sprites)
    torch.set_num_threads(1)  # sums in one order, however many cores there are
    weights, out = Path(args.weights), Path(args.out)
    concepts = concepts_of(weights)
    model = round_weights(load_weights(build(MINI, concepts), weights))
    with torch.no_grad():
        found = gather(model, Sprites(args.sprites, concepts), args.scenes, args.seed)
    out.mkdir(parents=True, exist_ok=True)
    sheet(found).save(out / 'codes.webp', quality=72, method=6, exact=True)
    manifest = json.loads(Path(args.manifest).read_text())
    about = {'model': manifest['name'], 'version': manifest['version'], 'contents': CONTENTS, 'across': ACROSS,
             'tile': TILE, 'used': int((found.uses > 0).sum()), 'scenes': args.scenes}
    (out / 'codes.json').write_text(json.dumps(about, indent=2) + '\n')
    print(json.dumps(about))


if __name__ == '__main__':
    main()
