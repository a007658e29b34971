"""Codes that are a content and a place: quantizer and language model against the plain ones over all codes."""
import unittest
from dataclasses import replace

import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.language_model import PlacedLanguageModel
from networks.visual_tokenizer import PlacedQuantizer, VectorQuantizer, place_table

CONTENTS, PLACES, WORDS = 5, 16, 11


class PlacedCodesTest(unittest.TestCase):
    def setUp(self): torch.manual_seed(0)

    def test_the_nearest_code_is_that_of_a_plain_codebook(self):
        placed, plain = PlacedQuantizer(CONTENTS, 6, place_table(4, 8)), VectorQuantizer(CONTENTS * PLACES, 14)
        plain.embedding.weight.data = placed.embedding(torch.arange(CONTENTS * PLACES))
        content = F.normalize(torch.randn(3, PLACES, 6), dim=-1)
        z = torch.cat([content, place_table(4, 8).expand(3, -1, -1)], -1) * .5 ** .5
        self.assertTrue(torch.equal(placed.codes(z), plain.codes(z)))
        self.assertTrue(torch.equal(placed.codes(z) // CONTENTS, torch.arange(PLACES).expand(3, -1)))

    def test_scores_are_one_distribution_and_the_loss_is_its_cross_entropy(self):
        lm = PlacedLanguageModel(replace(MINI.language_model, hidden=8, layers=1, heads=2, mlp_hidden=8), WORDS,
                                 CONTENTS, PLACES)
        torch.nn.init.normal_(lm.at_place)
        states, targets = torch.randn(6, 8), torch.tensor([0, WORDS - 1, WORDS, WORDS + CONTENTS, WORDS + 37,
                                                           WORDS + 79])
        with torch.no_grad():
            scores = lm.head(states)
            self.assertEqual(scores.shape, (6, WORDS + CONTENTS * PLACES))
            torch.testing.assert_close(lm.cross_entropy(states, targets), F.cross_entropy(scores, targets))
            by_place = scores[:, WORDS:].unflatten(1, (PLACES, CONTENTS)).logsumexp(-1)
            torch.testing.assert_close(by_place, lm.word_scores(states)[:, WORDS:])

    def test_an_embedding_is_a_word_or_a_content_and_a_place(self):
        lm = PlacedLanguageModel(replace(MINI.language_model, hidden=8, layers=1, heads=2, mlp_hidden=8), WORDS,
                                 CONTENTS, PLACES)
        with torch.no_grad():
            word, code = lm.embed(torch.tensor([WORDS - 1, WORDS + 3 * CONTENTS + 2]))
            torch.testing.assert_close(word, lm.model.embed_tokens.weight[WORDS - 1])
            torch.testing.assert_close(code, lm.content[2] + lm.place[3])
