"""The ablation of codes: patches are read and written as the continuous vectors that the quantizer would round."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from networks.config import MINI
from networks.decoding import read_starts
from networks.language_model import LanguageModel

from ..stages.language_model import IGNORE, causal_states, lay_out_paintings


class ContinuousLanguageModel(LanguageModel):
    """Words are classified. A patch is a code vector, a content and a place of equal weight: one linear layer reads it,
    one writes it, and beside it stands the decision whether the picture has ended. `weight` brings the loss of vectors
    to where the cross-entropy of codes starts, as an untrained model has cosine 0."""

    def __init__(self, config=MINI):
        c, t, places = config.language_model, config.tokenizer, config.encoder.patches
        super().__init__(c, config.visual_offset)
        self.words, self.parts = config.visual_offset, [t.code_dim - t.place_dim, t.place_dim]
        self.weight = math.log(self.words + places) + math.log(t.contents(places))
        self.in_proj, self.out_proj, self.end = (nn.Linear(*shape) for shape in (
            (t.code_dim, c.hidden), (c.hidden, t.code_dim), (c.hidden, 1)))

    def embed(self, token_ids, vectors=None):
        """Ids from `words` on are rows of `vectors` (M, code_dim)."""
        words = super().embed(token_ids.clamp(max=self.words - 1))
        if vectors is None:
            return words
        shown = F.embedding((token_ids - self.words).clamp(min=0), self.in_proj(vectors))
        return torch.where((token_ids < self.words)[..., None], words, shown)

    def word_scores(self, states): return super().head(states)

    def head(self, states):
        """States (..., H) -> scores of words, the next vector, the odds of the end (..., words + code_dim + 1)."""
        return torch.cat([self.word_scores(states), self.vectors(states), self.end(states)], -1)

    def vectors(self, states):
        """States (..., H) -> vectors (..., code_dim) of the lengths that the decoder expects."""
        parts = self.out_proj(states).split(self.parts, -1)
        return torch.cat([F.normalize(part, dim=-1) for part in parts], -1) * .5 ** .5

    def cross_entropy(self, states, targets, label_smoothing=0.):
        return F.cross_entropy(self.word_scores(states), targets, label_smoothing=label_smoothing)


def regression_loss(lm, prompts, pictures, vectors):
    """Of pictures as lists of rows of `vectors` (M, code_dim): cosine distance of each next vector, and cross-entropy
    of the end."""
    ids, target = lay_out_paintings(prompts, pictures)
    learnt = target != IGNORE
    states, target = causal_states(lm, lm.embed(ids, vectors))[learnt], target[learnt]
    ended = target == MINI.image_end
    cosine = (lm.vectors(states[~ended]) * vectors[target[~ended] - lm.words]).sum(-1)
    return (lm.weight * (1 - cosine).sum() / len(target)
            + F.binary_cross_entropy_with_logits(lm.end(states)[:, 0], ended.float()))


@torch.no_grad()
def draw_vectors(lm, prompts):
    """Prompts (lists of ids) -> vectors of their pictures [(K, code_dim)], one by one until it is likelier that the
    picture has ended by now than that it has not."""
    rows, lengths, states = read_starts(lm, [p + [MINI.image_start] for p in prompts])
    written, goes_on, count = [], torch.ones(len(prompts)), torch.zeros(len(prompts), dtype=torch.long)
    for step in range(MINI.encoder.patches):
        _, vectors, end = lm.head(states).split([lm.words, sum(lm.parts), 1], -1)
        if step >= MINI.tokenizer.min_visual_tokens:
            goes_on = goes_on * (1 - end[:, 0].sigmoid())
        if (goes_on < .5).all():
            break
        count += goes_on >= .5
        written.append(vectors)
        at = (lengths + step)[:, None]
        states = rows.read(at, torch.ones_like(at, dtype=torch.bool), embeddings=lm.in_proj(vectors)[:, None])
    return [row[:k] for row, k in zip(torch.stack(written, 1), count.tolist())]


@torch.no_grad()
def paint_vectors(eyes, vectors):
    """Lists of vectors [(K, code_dim)] -> pictures (B, 3, S, S)."""
    mask = pad_sequence([torch.ones(len(v)) for v in vectors], batch_first=True)
    return eyes.painter(eyes.decoder(pad_sequence(vectors, batch_first=True), mask)).clamp(-1, 1)
