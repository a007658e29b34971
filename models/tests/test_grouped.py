"""Queries that share keys and values: what a model computes that has a copy of them for each query."""
import unittest
from dataclasses import replace

import torch

from networks.config import MINI
from networks.decoding import Rows
from networks.language_model import LanguageModel

C = replace(MINI.language_model, hidden=48, layers=2, heads=4, mlp_hidden=64)
VOCABULARY = 20


class Grouped(unittest.TestCase):
    @torch.no_grad()
    def test_it_is_the_model_with_a_copy_of_keys_and_values_for_each_query(self):
        for shared in (2, 4):
            with self.subTest(shared):
                torch.manual_seed(shared)
                grouped = LanguageModel(replace(C, queries_per_key=shared), VOCABULARY).eval()
                plain = LanguageModel(C, VOCABULARY).eval()
                state = {key: copied(value, shared) if key.endswith(('k_proj.weight', 'v_proj.weight')) else value
                         for key, value in grouped.state_dict().items()}
                plain.load_state_dict(state)
                ids = torch.randint(VOCABULARY, (3, 9))
                positions, causal = torch.arange(9).repeat(3, 1), torch.ones(9, 9, dtype=torch.bool).tril()[None, None]
                wanted = plain(plain.embed(ids), positions, causal)
                torch.testing.assert_close(grouped(grouped.embed(ids), positions, causal), wanted)
                for pieces in ((9,), (4, 1, 1, 3)):
                    rows, seen = Rows(grouped, 3), torch.ones(3, 9, dtype=torch.bool)
                    for some, where, shown in zip(*(x.split(pieces, 1) for x in (ids, positions, seen))):
                        states = rows.read(where, shown, token_ids=some)
                    torch.testing.assert_close(states, wanted[:, -1])


def copied(matrix, times):
    """Rows of heads of 12, each head as often as queries share it."""
    return matrix.unflatten(0, (-1, C.head_dim)).repeat_interleave(times, 0).flatten(0, 1)


if __name__ == '__main__':
    unittest.main()
