"""The steps of the recipe, from pictograms to a package, as the commands that they are."""
from dataclasses import dataclass
from pathlib import Path

from .card.table import START, STOP

ART = Path(__file__).parent / 'art'


@dataclass(frozen=True)
class Step:
    """`module` is run with `arguments`, or where there is none `arguments` are a command of their own in `folder`."""
    name: str
    arguments: list
    module: str = ''
    folder: str = '.'

    @property
    def command(self):
        python = ['python', '-m', self.module.removesuffix('.__main__')] if self.module else []
        return [*python, *self.arguments]


# minutes of work, processes
STAGES = {'encoder': (92, 2), 'judge': (9, 2), 'memory': (3, 1), 'tokenizer': (178, 2), 'painter': (175, 2),
          'language_model': (340, 2), 'denoiser': (20, 1)}
SMOKE_STAGES = {name: (.02, 2 if name == 'encoder' else 1) for name in STAGES}
SMOKE_CONCEPTS, SMOKE_SCENES = 12, 12


def steps_of(args):
    """For the options of `python -m recipe`."""
    out, concepts = Path(args.out), ['--concepts', str(args.concepts)]
    runs, weights, tokenizer = (str(out / name) for name in ('runs', 'weights', 'tokenizer.json'))
    sprites = ['--sprites', args.sprites]
    about, figures = str(out / 'about.json'), str(out / 'figures.md')
    stages = {name: (minutes * args.effort, processes) for name, (minutes, processes) in
              (SMOKE_STAGES if args.smoke else STAGES).items()}
    few = ['--measure', '.04'] if args.smoke else []
    told = ['--scenes', str(SMOKE_SCENES)] if args.smoke else []
    return [
        *sprite_steps(args),
        Step('text tokenizer', ['--out', tokenizer, *concepts, *(['--sentences', '100'] if args.smoke else [])],
             'recipe.data.text_tokenizer'),
        *(Step(stage, ['--stage', stage, '--minutes', f'{minutes:g}', '--processes', str(processes), '--runs', runs,
                       '--weights', weights, '--tokenizer', tokenizer, *sprites, *concepts, *few,
                       *(['--bfloat16'] if args.bfloat16 else [])], 'recipe.train')
          for stage, (minutes, processes) in stages.items()),
        Step('weights', ['--runs', runs, '--weights', weights, '--out', weights, *sprites, *concepts, *few],
             'recipe.collect'),
        Step('familiarity', ['--stage', 'familiarity', '--minutes', f'{(.02 if args.smoke else 15) * args.effort:g}',
                             '--processes', '1', '--runs', runs, '--weights', weights, '--outside', args.outside,
                             *sprites, *concepts, *few], 'recipe.train'),
        Step('weights of familiarity', ['--stages', 'familiarity', '--runs', runs, '--weights', weights, '--about',
                                        about, '--out', weights, *sprites, *concepts], 'recipe.collect'),
        Step('judge as a graph', ['--weights', weights, '--out', weights, *sprites, *concepts], 'recipe.export_judge'),
        Step('figures', ['--weights', weights, '--tokenizer', tokenizer, '--about', about, '--card', figures,
                         *sprites, *concepts, *told], 'recipe.card.evaluate'),
        Step('pictures', ['--weights', weights, '--tokenizer', tokenizer, '--out', str(out / 'pictures'), *sprites,
                          *(['--little'] if args.smoke else [])], 'recipe.card.pictures.__main__'),
        Step('ranges', ['--weights', weights, '--tokenizer', tokenizer, *sprites, *concepts,
                        *(['--scenes', '4'] if args.smoke else [])], 'recipe.ranges'),
        Step('package', ['--weights', weights, '--tokenizer', tokenizer, '--about', about, '--count',
                         str(args.concepts), '--out', str(out / 'lavit-mini')], 'recipe.export'),
    ]


def sprite_steps(args):
    if args.smoke:
        return [Step('sprites', ['--out', args.sprites, '--concepts', str(args.concepts)], 'recipe.data.stand_in')]
    shared = ['--share', str(Path(args.share).resolve())] if args.share else []
    return [
        Step('art', ['npm', 'ci', '--no-audit', '--no-fund'], folder=str(ART)),
        Step('sprites', ['node', 'render.js', str(Path(args.sprites).resolve()), '--size', '96', *shared],
             folder=str(ART)),
        Step('outsiders', ['node', 'outsiders.js', str(Path(args.sprites).resolve()), '--size', '96'],
             folder=str(ART))]


EMPTY_FIGURES = f'# Figures\n\n{START}{STOP}\n'
