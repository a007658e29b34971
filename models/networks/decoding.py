"""Decoding with a cache, for the held-out figures while training: greedy captions, guided draws of codes."""
import torch

from .config import MINI
from .language_model import HIDDEN

END = 2
GUIDANCE, TEMPERATURE, TOP_K = 1.5, .3, 40  # of painting, where a request does not say
NEVER = 10_000  # position of padding: later than all else, so nothing sees it


class Rows:
    """Sequences that grow together; places that a row must not see are hidden."""

    def __init__(self, lm, count):
        c = lm.c
        self.lm, self.count, self.nothing = lm, count, torch.zeros(count, 1, c.hidden)
        self.cache = [torch.zeros(count, *shape) for shape in c.cache(1)]
        self.bias = torch.full((count, 1), HIDDEN)

    def read(self, positions, visible, token_ids=None, embeddings=None):
        """New places (B, T), by ids or by embeddings -> states (B, H) after the last one."""
        by_ids = token_ids is not None
        states, *new = self.lm.step(
            token_ids if by_ids else torch.zeros_like(positions),
            embeddings if not by_ids else self.nothing.expand(-1, positions.shape[1], -1),
            torch.full(positions.shape, not by_ids), positions, self.bias, *self.cache)
        self.cache = [torch.cat([old, fresh], 3 if k % 2 == 0 else 2)
                      for k, (old, fresh) in enumerate(zip(self.cache, new))]
        self.bias = torch.cat([self.bias, torch.where(visible, 0., HIDDEN)], 1)
        return states


@torch.no_grad()
def write_captions(lm, prefix, positions, real, longest=40):
    """Greedy captions after picture prefixes (B, P, H) with their positions and reality (B, P): lists of ids."""
    rows = Rows(lm, len(prefix))
    seen = real.bool()
    states = rows.read(torch.where(seen, positions, NEVER), seen, embeddings=prefix)
    written, done = [], torch.zeros(len(prefix), dtype=torch.bool)
    for step in range(longest):
        following = lm.word_log_probabilities(states, MINI.image_start).argmax(-1)
        following[done] = END
        done |= following == END
        written.append(following)
        if done.all():
            break
        at = positions[:, -1:] + 1 + step
        states = rows.read(at, torch.ones_like(at, dtype=torch.bool), token_ids=following[:, None])
    ids = torch.stack(written, 1).tolist()
    return [row[:row.index(END)] if END in row else row for row in ids]


def read_starts(lm, starts):
    """Lists of ids -> `Rows` that have read them, their lengths (B), states after the last id (B, H)."""
    longest = max(map(len, starts))
    lengths = torch.tensor([len(s) for s in starts])
    padded = torch.tensor([[0] * (longest - len(s)) + s for s in starts])
    rows = Rows(lm, len(starts))
    for t in range(longest):
        at = (t - (longest - lengths))[:, None]
        states = rows.read(at.clamp(min=0), at >= 0, token_ids=padded[:, t:t + 1])
    return rows, lengths, states


@torch.no_grad()
def draw_codes(lm, prompts, guidance=GUIDANCE, temperature=TEMPERATURE, top_k=TOP_K, seed=0):
    """Prompts (lists of ids) -> lists of codes, sampled with classifier-free guidance (log-softmax form)."""
    generator = torch.Generator().manual_seed(seed)
    n = len(prompts)
    starts = [p + [MINI.image_start] for p in prompts] + [[MINI.image_start]] * n
    rows, lengths, states = read_starts(lm, starts)
    drawn, done = [[] for _ in prompts], [False] * n
    for step in range(MINI.encoder.patches):
        conditional, unconditional = lm.head(states).log_softmax(-1).split(n)
        mixed = unconditional + guidance * (conditional - unconditional)
        mixed[:, :MINI.image_end] = HIDDEN
        if step < MINI.tokenizer.min_visual_tokens:
            mixed[:, MINI.image_end] = HIDDEN
        best, which = mixed.topk(top_k, -1)
        chosen = which.gather(1, torch.multinomial((best / temperature).softmax(-1), 1, generator=generator))[:, 0]
        for i, token in enumerate(chosen.tolist()):
            done[i] = done[i] or token == MINI.image_end
            if not done[i]:
                drawn[i].append(token - MINI.visual_offset)
        if all(done):
            break
        at = (lengths + step)[:, None]
        states = rows.read(at, torch.ones_like(at, dtype=torch.bool), token_ids=chosen.repeat(2)[:, None])
    return drawn
