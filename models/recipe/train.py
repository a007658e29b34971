"""Trains one stage of the embedded model: `python -m recipe.train --stage encoder --minutes 60`.

Run from `models/`. Prints how far it is, and held-out figures every few minutes. A stage that was interrupted goes on
from its checkpoint; `--restart` begins anew.
"""
import argparse
import math
import tempfile
from datetime import timedelta
from importlib import import_module

import torch

from networks.config import CONCEPTS

from .inputs import require_sprites
from .lifetime import START_METHOD, die_with_parent

STAGES = ('encoder', 'judge', 'memory', 'tokenizer', 'painter', 'language_model', 'denoiser', 'familiarity')


def work(rank, args, meeting):
    die_with_parent()
    torch.distributed.init_process_group('gloo', init_method=meeting, rank=rank, world_size=args.processes,
                                         timeout=timedelta(hours=1))
    stage(args)


def stage(args):
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)   # what fades away would slow everything down
    torch.manual_seed(0)
    import_module(f'recipe.stages.{args.stage}').main(args)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--stage', choices=STAGES, required=True)
    parser.add_argument('--minutes', type=float, required=True, help='work of this stage, all its runs together')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--sprites', default='recipe/sprites', help='folder that art/render.js wrote')
    parser.add_argument('--runs', default='recipe/runs', help='folder of checkpoints and logs')
    parser.add_argument('--weights', default='recipe/weights', help='stands in for stages without a checkpoint')
    parser.add_argument('--outside', default='recipe/outside',
                        help='folder of photographs: `trained/`, and `measured/` with a folder for each source')
    parser.add_argument('--teacher', help='folder of weights whose language model the stage of that name also learns '
                                          'from; it may have other heads and widths')
    parser.add_argument('--warm', action='store_true', help='begin with the weights')
    parser.add_argument('--lr', type=float, help='highest learning rate, in place of the one of the stage')
    parser.add_argument('--every', type=float, help='seconds between held-out figures, in place of those of the stage')
    parser.add_argument('--bfloat16', action='store_true',
                        help='multiply in 16 bits; quick only where the processor has AMX')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json')
    parser.add_argument('--processes', type=int, default=2, help='one core each; they average their gradients')
    parser.add_argument('--measure', type=float, default=1, help='share of the usual held-out scenes to measure on')
    parser.add_argument('--restart', action='store_true')
    args = parser.parse_args(arguments)
    if args.processes < 1:
        parser.error(f'--processes {args.processes}: one at least')
    if not 0 <= args.minutes < math.inf:
        parser.error(f'--minutes {args.minutes}: not a number of minutes')
    require_sprites(parser, args.sprites)
    if args.processes == 1:
        return stage(args)
    with tempfile.TemporaryDirectory() as meeting:
        torch.multiprocessing.start_processes(work, (args, f'file://{meeting}/point'), args.processes,
                                              start_method=START_METHOD)


if __name__ == '__main__':
    main()
