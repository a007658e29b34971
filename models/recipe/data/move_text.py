"""Moves a language model to another text tokenizer:
`python -m recipe.data.move_text --before old.json --after new.json`.

What both tokenizers know keeps its embedding; a new entry begins as the mean of the pieces that the old one makes of
it. The rows after the text, image start and image end, stay the last ones.
"""
import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

TABLE = 'model.embed_tokens.weight'


def moved(table, before, after):
    """Embeddings (text + 2, H) of the vocabulary `before` -> those of `after`; both are tokenizers."""
    known = before.get_vocab()
    texts = sorted(after.get_vocab(), key=after.get_vocab().get)
    rows = [table[[known[text]] if text in known else [piece.id for piece in before.model.tokenize(text)]].mean(0)
            for text in texts]
    return torch.stack([*rows, *table[len(known):]])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--before', required=True)
    parser.add_argument('--after', required=True)
    parser.add_argument('--weights', default='recipe/weights', help='folder whose language model is rewritten')
    args = parser.parse_args(arguments)
    path = Path(args.weights) / 'language_model.safetensors'
    state = load_file(path)
    table = state[TABLE]
    state[TABLE] = moved(table.float(), *map(Tokenizer.from_file, (args.before, args.after))).to(table.dtype)
    save_file(state, path)


if __name__ == '__main__':
    main()
