"""The language model: a LLaMA with one vocabulary of text, image start, image end and visual codes."""
import torch
import torch.nn.functional as F
from torch import nn

HIDDEN = -1e9


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x): return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotary(positions, head_dim, base):
    """positions (B, T) -> cosines and sines (B, 1, T, head_dim), half-split layout."""
    rates = base ** (-torch.arange(0, head_dim, 2, device=positions.device).float() / head_dim)
    angles = positions[:, None, :, None].float() * rates
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Attention(nn.Module):
    """A key and a value serve a group of queries (grouped-query attention, Ainslie et al. 2023)."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads = c.heads, c.kv_heads
        shared = c.kv_heads * c.head_dim
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (
            nn.Linear(c.hidden, width, bias=False) for width in (c.hidden, shared, shared, c.hidden))

    def heads_of(self, x, turn):
        """(B, T, H) -> queries (B, heads, T, d), keys and values (B, kv_heads, T, d)."""
        q, k, v = (p(x).unflatten(-1, (heads, -1)).transpose(1, 2) for p, heads in (
            (self.q_proj, self.heads), (self.k_proj, self.kv_heads), (self.v_proj, self.kv_heads)))
        return rotate(q, *turn), rotate(k, *turn), v

    def forward(self, x, turn, mask):
        q, *kv = self.heads_of(x, turn)
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in kv)
        return self.o_proj(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2))

    def forward_cached(self, x, turn, mask, cached_keys, cached_values, cache_bias):
        """`cached_keys` (B, kv_heads, d, P), `cached_values` (B, kv_heads, P, d); gives also the new keys
        (B, kv_heads, d, T) and values."""
        q, k, v = self.heads_of(x, turn)
        q = q * q.shape[-1] ** -.5
        k = k.transpose(2, 3)
        group = self.heads // self.kv_heads
        if group > 1:  # the queries of a group side by side: (B, kv_heads, group * T, d)
            q = q.reshape(q.shape[0], self.kv_heads, group * q.shape[2], q.shape[3])
            mask = mask.repeat(1, 1, group, 1)
        scores = torch.cat([q @ cached_keys + cache_bias[:, None, None, :], q @ k + mask], -1)
        weights = scores.softmax(-1)
        past = cached_keys.shape[-1]
        y = weights[..., :past] @ cached_values + weights[..., past:] @ v
        if group > 1:
            y = y.reshape(y.shape[0], self.heads, x.shape[1], y.shape[-1])
        return self.o_proj(y.transpose(1, 2).flatten(2)), k, v


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(c.hidden, c.mlp_hidden, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(c.mlp_hidden, c.hidden, bias=False)

    def forward(self, x): return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c.hidden, c.norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.norm_eps)
        self.mlp = FeedForward(c)


class Trunk(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, c.hidden)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.norm_eps)


class LanguageModel(nn.Module):
    """`forward` trains on whole sequences; `step` reads new tokens against an external cache."""

    def __init__(self, c, vocabulary):
        super().__init__()
        self.c = c
        self.model = Trunk(c, vocabulary)
        self.lm_head = nn.Linear(c.hidden, vocabulary, bias=False)
        for name, p in self.named_parameters():
            if p.ndim > 1:
                out = name.endswith(('o_proj.weight', 'down_proj.weight'))
                nn.init.normal_(p, std=.02 / (2 * c.layers) ** .5 if out else .02)
        if c.tied_head:
            self.lm_head.weight = self.model.embed_tokens.weight

    def turn(self, positions): return rotary(positions, self.c.head_dim, self.c.rotary_base)

    def embed(self, token_ids): return self.model.embed_tokens(token_ids)

    def head(self, states): return self.lm_head(states)

    def word_log_probabilities(self, states, words):
        """States (B, H) -> those of the ids below `words` (B, words), normalised over the whole vocabulary."""
        return self.head(states).log_softmax(-1)[:, :words]

    def log_probabilities(self, states): return self.head(states).log_softmax(-1)

    def forward(self, x, positions, mask, tap=None):
        """Embeddings (B, T, H), positions (B, T), mask (B, 1, T, T) true where visible -> states (B, T, H); with `tap`
        also the stream after that layer."""
        turn, tapped = self.turn(positions), None
        for i, layer in enumerate(self.model.layers):
            x = x + layer.self_attn(layer.input_layernorm(x), turn, mask)
            x = x + layer.mlp(layer.post_attention_layernorm(x))
            tapped = x if i == tap else tapped
        states = self.model.norm(x)
        return states if tap is None else (states, tapped)

    def step(self, token_ids, embeddings, is_embedding, positions, cache_bias, *cache):
        """One prefill chunk or decode step (names and shapes of the exported graph): the states (B, H) of each row's
        last new token, for the heads, and the new keys and values. `cache`: keys, values by layer."""
        x = torch.where(is_embedding[..., None], embeddings, self.embed(token_ids))
        turn = self.turn(positions)
        later = positions[:, None, None, :] > positions[:, None, :, None]       # (B, 1, T, T)
        mask = later.to(x.dtype) * HIDDEN
        new = []
        for i, layer in enumerate(self.model.layers):
            y, k, v = layer.self_attn.forward_cached(layer.input_layernorm(x), turn, mask, cache[2 * i],
                                                     cache[2 * i + 1], cache_bias)
            x = x + y
            x = x + layer.mlp(layer.post_attention_layernorm(x))
            new += [k, v]
        return self.model.norm(x[:, -1]), *new


class PlacedLanguageModel(LanguageModel):
    """For codes that are a content and a place (`PlacedCodes`). What such a token means is the sum of the two; its
    probability is that of the place, among all words, times that of the content, given the place. So no row belongs to
    one code alone, rare codes learn from common ones, and training never scores the whole vocabulary."""

    def __init__(self, c, words, contents, places):
        super().__init__(c, words)
        self.words = words
        self.content = nn.Parameter(torch.randn(contents, c.hidden) * .02)
        self.place = nn.Parameter(torch.randn(places, c.hidden) * .02)
        self.at_place = nn.Parameter(torch.zeros(places, c.hidden))
        self.to_content = nn.Linear(c.hidden, c.hidden)

    def embed(self, token_ids):
        code, m = (token_ids - self.words).clamp(min=0), len(self.content)
        meaning = F.embedding(code % m, self.content) + F.embedding(code // m, self.place)
        return torch.where((token_ids < self.words)[..., None], super().embed(token_ids.clamp(max=self.words - 1)),
                           meaning)

    def word_scores(self, states):
        """States (..., H) -> scores (..., words + places): a place stands for all the codes at it."""
        return torch.cat([self.lm_head(states), states @ self.place.T], -1)

    def content_scores(self, states, at_place): return F.silu(self.to_content(states) + at_place) @ self.content.T

    def word_log_probabilities(self, states, words):
        """Contents are normalised for each place, so the words and places alone make the normaliser."""
        return self.word_scores(states).log_softmax(-1)[:, :words]

    def log_probabilities(self, states):
        words, places = self.word_scores(states).log_softmax(-1).tensor_split([self.words], -1)
        return self.spread(states, words, places)

    def head(self, states):
        return self.spread(states, *self.word_scores(states).tensor_split([self.words], -1))

    def spread(self, states, words, places):
        contents = self.content_scores(states[..., None, :], self.at_place).log_softmax(-1)   # (..., places, contents)
        return torch.cat([words, (places[..., None] + contents).flatten(-2)], -1)

    def cross_entropy(self, states, targets, label_smoothing=0.):
        """States (M, H), targets (M) -> the mean cross-entropy over the whole vocabulary; smoothing is among words and
        places."""
        m, code = len(self.content), targets - self.words
        codes = code >= 0
        loss = F.cross_entropy(self.word_scores(states), torch.where(codes, self.words + code // m, targets),
                               label_smoothing=label_smoothing)
        if codes.any():
            scores = self.content_scores(states[codes], self.at_place[code[codes] // m])
            loss = loss + F.cross_entropy(scores, code[codes] % m, reduction='sum') / len(targets)
        return loss
