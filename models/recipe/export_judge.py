"""Writes the judge as a graph of its own, for `npm run evaluate`: `python -m recipe.export_judge --out recipe/weights`.

`judge.onnx`: pictures (B, 3, 64, 64) in -1..1 -> concept scores (B, concepts), ground scores (B, grounds), features
(B, 640). `judge.json` beside it holds the side of the square and the labels. No part of the model package.
"""
import argparse
import json
from pathlib import Path

import torch
from torch import nn

from networks.config import CONCEPTS
from networks.model import fill
from packager.graphs import BATCH
from packager.write import check, export_graph

from .data.batches import heldout
from .data.scenes import GROUND_NAMES, Sprites
from .data.wording import Words
from .inputs import require_files, require_sprites
from .stages.judge import SIZE, Judge


class Looking(nn.Module):
    """Pictures (B, 3, 64, 64) in -1..1 -> concept scores, ground scores, features (B, 640)."""

    def __init__(self, judge):
        super().__init__()
        self.judge = judge

    def forward(self, pictures):
        features = self.judge.body(pictures)
        return self.judge.concept(features), self.judge.ground(features), features


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', default='recipe/weights')
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--out', required=True)
    args = parser.parse_args(arguments)
    require_files(parser, Path(args.weights) / 'judge.safetensors')
    require_sprites(parser, args.sprites)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    judge = Looking(fill(Judge(args.concepts), Path(args.weights) / 'judge.safetensors')).eval()
    sprites = Sprites(args.sprites, args.concepts)
    pixels, _ = heldout(sprites, 4, styles=[sprites.house], plain=True, count=1, size=SIZE)
    example, path = {'pictures': pixels.float() / 127.5 - 1}, out / 'judge.onnx'
    with torch.no_grad():
        export_graph(judge, example, ['concept', 'ground', 'features'], {'pictures': {0: BATCH}}, 0, path)
        gap = check('judge', judge, [example], path, 0)
    labels = {'size': SIZE, 'concepts': Words(args.concepts).labels, 'grounds': GROUND_NAMES}
    path.with_suffix('.json').write_text(json.dumps(labels) + '\n')
    print(f'judge: {path.stat().st_size / 1e6:.1f} MB, gap {gap:.1e}')


if __name__ == '__main__':
    main()
