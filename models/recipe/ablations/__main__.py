"""The ablations of the model card: `python -m recipe.ablations --runs recipe/runs`, then `--card README.md`.

Trains small language models from scratch on one frozen visual tokenizer, one for each variant and seed, and measures
each on the same held-out scenes. Results that `--out` holds are not made again; calls with different seeds or variants
may run side by side.
"""
import argparse
import json
import time
from pathlib import Path

import torch

from networks.config import CONCEPTS

from ..data.scenes import Sprites
from ..loop import load
from ..stages.judge import Judge
from ..stages.language_model import Eyes, Sentences
from . import batches as drawing
from . import results
from .measuring import WAYS, measure, tests
from .training import lengths, train
from .variants import VARIANTS, SelectingEyes, build, selections

STEPS, SCENES = 5, 25   # from which the whole time is estimated


class Laboratory:
    """What all runs share."""

    def __init__(self, args):
        self.args, self.cache = args, Path(args.cache)
        self.sprites, self.sentences = Sprites(args.sprites, args.concepts), Sentences(args.tokenizer, args.concepts)
        self.eyes, self.judge = Eyes.of_runs(args, self.sprites), Judge(CONCEPTS)
        load(args, 'judge', judge=self.judge)
        kept = drawing.usual_count(self.eyes, self.sentences, self.sprites)
        self.rules, self.tests = selections(kept), tests(self.sprites, args.scenes, args.prompts)
        self.settings = {'steps': args.steps, 'concepts': args.concepts, 'scenes': args.scenes, 'prompts': args.prompts,
                         'kept': kept, 'read': drawing.READ, 'painted': drawing.PAINTED, 'bfloat16': args.bfloat16,
                         'weights': drawing.digest(self.eyes.encoder, self.eyes.tokenizer, self.eyes.decoder,
                                                   self.eyes.painter, self.judge)}

    def batches(self, seed, steps):
        name = '-'.join(map(str, (self.settings['weights'], self.args.concepts, drawing.READ, drawing.PAINTED, steps)))
        return drawing.all_batches(self.cache, self.eyes, self.sentences, self.sprites, self.rules, seed, steps, name)

    def run(self, name, seed, batches, tests):
        """Figures of one variant."""
        variant = VARIANTS[name]
        rule = self.rules[variant.selection]
        torch.manual_seed(seed)
        modules, slow = build(variant, self.eyes.tokenizer)
        trained = train(variant, modules, slow, rule, self.sentences.names, batches, self.args.bfloat16)
        ways = WAYS if name == 'paper' else ['shipped']
        figures = measure(variant, SelectingEyes(self.eyes, rule), modules, self.sentences, self.judge, tests, ways)
        learnt = sum(p.numel() for module in modules.values() for p in module.parameters()) / 1e6
        return {**figures, **lengths(rule, batches), **trained, 'millions': learnt}

    def estimate(self, wanted):
        """Minutes for all of it on a free core, from a few steps and tests of each variant. A little low: models that
        have learnt nothing paint few tokens."""
        clock = time.process_time()
        few = [drawing.batch(self.eyes, self.sentences, self.sprites, self.rules, 0, step) for step in range(STEPS)]
        batches = (time.process_time() - clock) / STEPS * self.args.steps / 60
        minutes, scenes = {}, min(SCENES, self.args.scenes)
        for name in dict.fromkeys(name for name, _ in wanted):
            clock = time.process_time()
            step = self.run(name, 0, few, self.tests.first(scenes))['seconds_per_step']
            measuring = (time.process_time() - clock - step * STEPS) / scenes * self.args.scenes
            minutes[name] = (step * self.args.steps + measuring) / 60
            print(f'{name}: {step:.2f} s a step, {minutes[name]:.1f} minutes a run', flush=True)
        seeds = len({seed for _, seed in wanted})
        print(f'{batches:.1f} minutes of batches for each seed, '
              f'{batches * seeds + sum(minutes[name] for name, _ in wanted):.0f} minutes in all on a free core',
              flush=True)


def main(args):
    torch.set_num_threads(1)
    out = Path(args.out)
    if args.card:
        return results.fill(Path(args.card), out)
    laboratory = Laboratory(args)
    done = results.check(out, laboratory.settings)
    wanted = [(name, seed) for seed in args.seeds for name in args.variants if (name, seed) not in done]
    if wanted:
        laboratory.estimate(wanted)
    for name, seed in wanted:
        clock = time.time()
        figures = laboratory.run(name, seed, laboratory.batches(seed, args.steps), laboratory.tests)
        run = {'variant': name, 'seed': seed, 'figures': {k: round(v, 4) for k, v in figures.items()}}
        results.add(out, laboratory.settings, run)
        print(json.dumps({**run, 'minutes': round((time.time() - clock) / 60, 1)}), flush=True)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1])
    parser.add_argument('--steps', type=int, default=1000)
    parser.add_argument('--concepts', type=int, default=40, help='that scenes show; the frozen parts know more')
    parser.add_argument('--scenes', type=int, default=80, help='of each art, that captions and answers are measured on')
    parser.add_argument('--prompts', type=int, default=100, help='single objects to paint')
    parser.add_argument('--sprites', default='recipe/sprites', help='folder that art/render.js wrote')
    parser.add_argument('--runs', default='recipe/runs', help='folder of checkpoints')
    parser.add_argument('--weights', default='recipe/weights', help='stands in for stages without a checkpoint')
    parser.add_argument('--bfloat16', action='store_true',
                        help='multiply in 16 bits; quick only where the processor has AMX')
    parser.add_argument('--measure', type=float, default=1, help='share of the usual scenes to calibrate on')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json')
    parser.add_argument('--cache', default='recipe/runs/ablations', help='folder of drawn batches')
    parser.add_argument('--out', default='recipe/ablations.json', help='file of results')
    parser.add_argument('--card', help='Markdown file whose table of ablations is replaced; nothing is trained')
    main(parser.parse_args())
