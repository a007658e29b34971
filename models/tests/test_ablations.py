"""The variants of the ablations, and the table of their results. From models/: `python -m unittest
tests.test_ablations`."""
import tempfile
import unittest
from pathlib import Path

import torch

from networks.config import MINI
from recipe.ablations import results
from recipe.ablations.continuous import ContinuousLanguageModel, draw_vectors, regression_loss
from recipe.ablations.measuring import WAYS
from recipe.ablations.variants import Unmerged, selections

N, D, CODE = MINI.encoder.patches, MINI.encoder.width, MINI.tokenizer.code_dim
LEAST = MINI.tokenizer.min_visual_tokens


class Selection(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.scores = torch.rand(5, N) * torch.tensor([.01, .2, .6, 1, 1])[:, None]

    def test_fixed_keeps_exactly_the_best(self):
        keep = selections(22)['fixed'](self.scores).bool()
        self.assertEqual(keep.sum(1).tolist(), [22] * 5)
        for kept, row in zip(keep, self.scores):
            self.assertGreater(row[kept].min(), row[~kept].max())

    def test_full_keeps_all(self):
        self.assertTrue(selections(22)['full'](self.scores).bool().all())

    def test_dynamic_keeps_what_is_likely_and_a_least_number(self):
        keep = selections(22)['dynamic'](self.scores).sum(1).tolist()
        self.assertEqual(keep, [max(LEAST, int(n)) for n in (self.scores >= .5).sum(1)])


class Merger(unittest.TestCase):
    def test_without_it_rows_know_nothing_of_dropped_patches(self):
        merger, features = Unmerged(MINI.encoder, 48), torch.randn(2, N, D)
        keep = torch.zeros(2, N)
        keep[:, ::3] = 1
        changed = torch.where(keep[..., None].bool(), features, torch.randn(2, N, D))
        kept = keep.bool()
        self.assertTrue(torch.equal(merger(features, keep)[kept], merger(changed, keep)[kept]))
        self.assertEqual(merger(features, keep).shape, (2, N, 48))


class Continuous(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.lm = ContinuousLanguageModel().eval()

    def ends(self, odds):
        torch.nn.init.zeros_(self.lm.end.weight)
        torch.nn.init.constant_(self.lm.end.bias, odds)
        return [len(v) for v in draw_vectors(self.lm, [[5, 6], [], [7]])]

    def test_head_and_vectors(self):
        states = torch.randn(2, 3, MINI.language_model.hidden)
        self.assertEqual(self.lm.head(states).shape, (2, 3, MINI.visual_offset + CODE + 1))
        for part in self.lm.vectors(states).split(self.lm.parts, -1):
            torch.testing.assert_close(part.norm(dim=-1), torch.full((2, 3), .5 ** .5))

    def test_ids_beyond_the_words_are_vectors(self):
        vectors = torch.randn(2, CODE)
        shown = self.lm.embed(torch.tensor([[7, MINI.visual_offset + 1]]), vectors)
        torch.testing.assert_close(shown[0, 0], self.lm.model.embed_tokens.weight[7])
        torch.testing.assert_close(shown[0, 1], self.lm.in_proj(vectors[1]))

    def test_loss_reaches_what_reads_and_what_writes(self):
        vectors = self.lm.vectors(torch.randn(9, MINI.language_model.hidden)).detach()
        loss = regression_loss(self.lm, [[5], [MINI.visual_offset, 6]], [[1, 2, 3, 4], [5, 6, 7, 8]], vectors)
        loss.backward()
        self.assertTrue(torch.isfinite(loss))
        for layer in (self.lm.in_proj, self.lm.out_proj, self.lm.end):
            self.assertGreater(layer.weight.grad.abs().max(), 0)

    def test_drawing_ends_by_its_decision(self):
        self.assertEqual(self.ends(9.), [LEAST] * 3)
        self.assertEqual(self.ends(-9.), [N] * 3)

    def test_small_odds_of_the_end_add_up(self):
        # each step goes on with .9: the seventh makes it less than half
        self.assertEqual(self.ends(torch.tensor(.1 / .9).log().item()), [LEAST + 6] * 3)

    def test_drawing_reads_its_own_vectors(self):
        self.ends(-9.)
        drawn = draw_vectors(self.lm, [[5, 6]])[0]
        ids = torch.tensor([[5, 6, MINI.image_start, MINI.visual_offset, MINI.visual_offset + 1]])
        visible = torch.ones(5, 5, dtype=torch.bool).tril()[None, None]
        with torch.no_grad():
            states = self.lm(self.lm.embed(ids, drawn), torch.arange(5)[None], visible)
            torch.testing.assert_close(self.lm.vectors(states[0, 2:]), drawn[:3], atol=1e-4, rtol=0)


class Results(unittest.TestCase):
    settings = {'steps': 3, 'concepts': 9, 'read': 2, 'painted': 3, 'scenes': 2, 'prompts': 4, 'kept': 22,
                'weights': 'abc'}

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = self.folder / 'new' / 'ablations.json'
        for seed, recall in ((0, .5), (1, .6)):
            results.add(self.out, self.settings, {'variant': 'paper', 'seed': seed, 'figures': {
                'trained_recall': recall, 'read_tokens': 22., 'shipped_painted_object': .25}})
        results.add(self.out, self.settings, {'variant': 'full', 'seed': 0, 'figures': {'read_tokens': 64.}})

    def test_what_is_done_is_known(self):
        self.assertEqual(results.check(self.out, self.settings), {('paper', 0), ('paper', 1), ('full', 0)})
        self.assertEqual(results.check(self.folder / 'none.json', self.settings), set())

    def test_other_settings_are_refused(self):
        with self.assertRaisesRegex(SystemExit, 'other settings: steps$'):
            results.check(self.out, {**self.settings, 'steps': 4})

    def test_table_gives_mean_range_and_gaps(self):
        card = self.folder / 'README.md'
        card.write_text(f'before\n{results.START}old\n{results.STOP}\nafter\n')
        for _ in range(2):
            results.fill(card, self.out)
        text = card.read_text()
        self.assertTrue(text.startswith(f'before\n{results.START}'))
        self.assertTrue(text.endswith(f'{results.STOP}\nafter\n'))
        self.assertNotIn('old', text)
        self.assertIn('runs: paper 2, full 1', text)
        self.assertIn('| figure | paper | full |\n', text)
        self.assertIn('| caption: recall (trained art) | .550 (.500 to .600) | – |\n', text)
        self.assertIn('| tokens of a picture read, in training | 22.0 | 64.0 |\n', text)
        self.assertIn('| painted from words, guidance 2: object | .250 | – |\n', text)

    def test_every_way_of_drawing_has_its_rows(self):
        shown = {key for _, key, _ in results.rows()}
        self.assertLessEqual({f'{way}_painted_{figure}' for way in WAYS for figure in ('object', 'ground', 'tokens')},
                             shown)


if __name__ == '__main__':
    unittest.main()
