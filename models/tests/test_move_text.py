"""Embeddings that move to another vocabulary. From models/: `python -m unittest tests.test_move_text`."""
import unittest

import torch
from tokenizers import Tokenizer, models

from recipe.data.move_text import moved


def tokenizer(*words):
    """Letters and what they are joined to, ids in that order."""
    vocabulary = {token: number for number, token in enumerate([*'actk', *words])}
    merges = [(word[:-1], word[-1]) for word in words]
    return Tokenizer(models.BPE(vocabulary, merges))


class MoveText(unittest.TestCase):
    def test_known_entries_keep_their_rows_and_new_ones_are_means_of_their_pieces(self):
        before, after = tokenizer('at'), tokenizer('ca', 'cat', 'at')
        table = torch.randn(5 + 2, 3)
        rows = moved(table, before, after)
        self.assertEqual(rows.shape, (7 + 2, 3))
        torch.testing.assert_close(rows[:4], table[:4])
        torch.testing.assert_close(rows[6], table[4])                       # 'at', elsewhere now
        torch.testing.assert_close(rows[4], (table[1] + table[0]) / 2)      # 'ca' was 'c', 'a'
        torch.testing.assert_close(rows[5], (table[1] + table[4]) / 2)      # 'cat' was 'c', 'at'
        torch.testing.assert_close(rows[7:], table[5:])                     # image start and end


if __name__ == '__main__':
    unittest.main()
