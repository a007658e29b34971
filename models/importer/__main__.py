"""Makes a model package of a checkpoint in the official LaVIT layout:
`python -m importer CHECKPOINT OUT --precision int4 --pixel-decoder none`.

Weights go from file to file one tensor at a time, so memory stays far below the size of the model. OUT appears when
everything is written, or not at all.
"""
import argparse
import os
import sys
from pathlib import Path

from .errors import CheckpointError
from .stream import PRECISIONS
from .to_package import import_checkpoint


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='python -m importer', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='folder with visual_tokenizer/ and language_model/')
    parser.add_argument('out', metavar='OUT',
                        help='folder of the package, which must not exist; its name names the model')
    parser.add_argument('--precision', choices=PRECISIONS, default='fp16')
    parser.add_argument('--device', choices=['cpu', 'webgpu'], default='cpu',
                        help='what it is for: on a GPU weights stay as they are stored')
    parser.add_argument('--pixel-decoder', choices=['lowres', 'highres', 'none'], default='none')
    parser.add_argument('--model-sub-dir', default='language_model')
    parser.add_argument('--context', type=int, default=768, help='longest sequence that the server keeps a cache for')
    args = parser.parse_args(arguments)
    here = Path(os.environ.get('INIT_CWD', '.'))  # where `npm run import` was typed
    try:
        import_checkpoint(here / args.checkpoint, here / args.out, args.precision, args.pixel_decoder,
                          args.model_sub_dir, args.context, args.device)
    except (CheckpointError, OSError) as error:
        print(f'importer: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
