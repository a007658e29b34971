"""The visual tokenizer: encoder, selector, merger, quantizer and decoder, with the official parameter names.

Shapes: B pictures, N patches in raster order, D width, K kept tokens. Source: LaVIT section 3.1 and the official
modules `modeling_visual_encoder`, `modeling_visual_tokenzier`, `modeling_decoder`.
"""
import torch
import torch.nn.functional as F
from torch import nn

POLICY_EPSILON = 1e-6
MASKED = -1e4  # what the official decoder adds to the scores of padding


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x): return self.fc2(F.gelu(self.fc1(x)))


def split_heads(x, heads): return x.unflatten(-1, (heads, -1)).transpose(1, 2)   # (B, H, N, d)


def join_heads(x): return x.transpose(1, 2).flatten(2)                           # (B, N, D)


# ---------------------------------------------------------------- encoder

class EncoderAttention(nn.Module):
    """Bias on queries and values, none on keys."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        q, k, v = (split_heads(t, self.heads) for t in F.linear(x, self.qkv.weight, bias).chunk(3, -1))
        return self.proj(join_heads(F.scaled_dot_product_attention(q, k, v)))


class EncoderBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(c.width, eps=1e-6), nn.LayerNorm(c.width, eps=1e-6)
        self.attn, self.mlp = EncoderAttention(c.width, c.heads), Mlp(c.width, c.mlp_hidden)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def conv(i, o, kernel=3, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o), nn.GELU())


class ConvResidual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels), nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
                                  nn.BatchNorm2d(channels))

    def forward(self, x): return F.gelu(x + self.body(x))


def conv_stem(width, w=24):
    """Patches of 12 x 12 pixels by convolutions of stride 2, 2 and 3."""
    return nn.Sequential(conv(3, w, 5, 2), conv(w, 2 * w, 3, 2), ConvResidual(2 * w), conv(2 * w, 4 * w, 5, 3),
                         ConvResidual(4 * w), conv(4 * w, width, 1))


class PatchEmbed(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.proj = nn.Conv2d(3, c.width, c.patch_size, c.patch_size) if c.stem == 'patch' else conv_stem(c.width)
        self.norm = nn.Identity() if c.stem == 'patch' else nn.LayerNorm(c.width)

    def forward(self, x):
        stem = self.proj(x).flatten(2).transpose(1, 2)
        return self.norm(stem), stem


class VisionEncoder(nn.Module):
    """Normalised pixels (B, 3, S, S) -> features (B, N, D), the picture's own row first when asked for."""

    def __init__(self, c):
        super().__init__()
        self.patch_embed = PatchEmbed(c)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, c.width))
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + c.patches, c.width) * .02)
        self.blocks = nn.ModuleList(EncoderBlock(c) for _ in range(c.depth))
        if c.final_norm:
            self.norm = nn.LayerNorm(c.width, eps=1e-6)
        self.final_norm = c.final_norm
        self.register_buffer('mean', torch.tensor(c.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(c.std).view(1, 3, 1, 1), persistent=False)

    def normalise(self, pixels):
        """uint8 (B, 3, S, S) -> float."""
        return (pixels.float() / 255 - self.mean) / self.std

    def forward_all(self, x):
        """All rows (B, 1 + N, D), and the stem's output (B, N, D)."""
        x, stem = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return (self.norm(x) if self.final_norm else x), stem

    def forward(self, x): return self.forward_all(x)[0][:, 1:]


# ---------------------------------------------------------------- selector

class TokenPredictor(nn.Module):
    """The selector: features (B, N, D) -> log-probabilities (B, N, 2); index 0 is keep."""

    def __init__(self, width):
        super().__init__()
        self.in_conv = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        self.out_conv = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, width // 4),
                                      nn.GELU(), nn.Linear(width // 4, 2))

    def forward(self, x):
        local, overall = self.in_conv(x.float()).chunk(2, -1)
        overall = overall.mean(1, keepdim=True).expand_as(local)
        return self.out_conv(torch.cat([local, overall], -1)).log_softmax(-1)


# ---------------------------------------------------------------- places

def sines(positions, width):
    """positions (N, axes) -> (N, width) sines and cosines, the width shared among the axes."""
    each = width // positions.shape[1]
    rates = 100 ** (-torch.arange(each // 2) / (each // 2))
    angles = positions[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(1)


def place_sines(grid, width):
    """Sines of row and column of every patch (1, N, width)."""
    n = torch.arange(grid * grid).float()
    return sines(torch.stack([n // grid, n % grid], 1), width)[None]


def place_table(grid, width):
    """Unit vectors (N, width): one part tells the row of a patch, one its column."""
    n = torch.arange(grid * grid)
    table = torch.zeros(len(n), width)
    table[n, n // grid] = table[n, width // 2 + n % grid] = .5 ** .5
    return table


# ---------------------------------------------------------------- merger

def policy_softmax(scores, policy):
    """Softmax over the places that `policy` allows, with the official leak of epsilon / N to all the others."""
    e = (scores - scores.amax(-1, keepdim=True)).exp() * policy
    return (e + POLICY_EPSILON / scores.shape[-1]) / (e.sum(-1, keepdim=True) + POLICY_EPSILON)


class CausalAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, policy):
        q, k, v = (split_heads(t, self.heads) for t in self.qkv(x).chunk(3, -1))
        weights = policy_softmax(q @ k.transpose(-2, -1) * q.shape[-1] ** -.5, policy)
        return self.proj(join_heads(weights @ v))


class CrossAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.proj = nn.Linear(width, width), nn.Linear(width, width)

    def scores(self, x, context):
        q, k = split_heads(self.query(x), self.heads), split_heads(self.key(context), self.heads)
        return q @ k.transpose(-2, -1) * q.shape[-1] ** -.5

    def gather(self, weights, context):
        return self.proj(join_heads(weights @ split_heads(self.value(context), self.heads)))


class CausalFuserBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm0, self.norm1, self.norm2 = (nn.LayerNorm(width) for _ in range(3))
        self.token_causal_attn = CausalAttention(width, heads)
        self.token_cross_attn = CrossAttention(width, heads)
        self.mlp = Mlp(width, hidden)

    def forward(self, x, context, causal_policy, cross_policy):
        x = x + self.token_causal_attn(self.norm0(x), causal_policy)
        cross = self.token_cross_attn
        x = x + cross.gather(policy_softmax(cross.scores(self.norm1(x), context), cross_policy), context)
        return x + self.mlp(self.norm2(x))


def rows_at(x, places):
    """x (B, N, D), places (B, K) -> (B, K, D)."""
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))


class TokenMerger(nn.Module):
    """Folds dropped patches into kept ones: features (B, N, D), keep (B, N) -> (B, N, D); rows of dropped patches are
    carried along and mean nothing. With a grid, features are told their places again, which the features of a small
    encoder have nearly forgotten."""

    def __init__(self, width, depth, heads, hidden, grid=None, leaks=True):
        super().__init__()
        self.leaks = leaks
        self.place_embed = nn.Parameter(place_sines(grid, width) * .5) if grid else None
        self.ln_vision = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(CausalFuserBlock(width, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, x, keep):
        n = x.shape[1]
        ones = torch.ones(n, n, dtype=x.dtype, device=x.device)
        own = torch.eye(n, dtype=x.dtype, device=x.device)
        d = keep[:, None, None, :]                                   # (B, 1, 1, N)
        causal_policy = torch.maximum(d * ones.tril(), own)          # (B, 1, N, N)
        if self.place_embed is not None:
            x = x + self.place_embed
        context = self.ln_vision(x)
        for block in self.blocks:
            x = block(x, context, causal_policy, 1 - d)
        return self.norm(x)

    def kept(self, x, places):
        """The rows at `places` (B, K), the kept patches of each picture in raster order: (B, K, D). Without `leaks`
        they are computed alone, and lack what `policy_softmax` lets through of the dropped patches' rows, and the
        maximum that it takes over these as well."""
        keep = (places[..., None] == torch.arange(x.shape[1], device=x.device)).any(1).to(x.dtype)
        if self.leaks:
            return rows_at(self(x, keep), places)
        if self.place_embed is not None:
            x = x + self.place_embed
        context = self.ln_vision(x)
        dropped = 1 - keep[:, None, None, :]                                          # (B, 1, 1, N)
        causal = (places[:, None, None, :] <= places[:, None, :, None]).to(x.dtype)   # (B, 1, K, K)
        x = rows_at(x, places)
        for block in self.blocks:
            x = block(x, context, causal, dropped)
        return self.norm(x)


# ---------------------------------------------------------------- quantizer

class VectorQuantizer(nn.Module):
    """The nearest of `codebook_size` rows; the input is brought to unit length, the rows are used as they stand."""

    def __init__(self, codebook_size, code_dim):
        super().__init__()
        self.embedding = nn.Embedding(codebook_size, code_dim)
        self.embedding.weight.data = F.normalize(torch.randn(codebook_size, code_dim), dim=-1)
        self.embedding.weight.requires_grad_(False)

    def codes(self, z):
        """z (..., code_dim), any length -> codes (...)."""
        e = self.embedding.weight
        z = F.normalize(z, dim=-1, eps=1e-12)
        return (e.pow(2).sum(-1) - 2 * z @ e.T).argmin(-1)


class PlacedCodes(nn.Module):
    """The vectors of a codebook that has every content once for each place: code `place * contents + content` is the
    two side by side, of equal weight."""

    def __init__(self, contents, content_dim, place):
        super().__init__()
        self.register_buffer('contents', F.normalize(torch.randn(contents, content_dim), dim=-1))
        self.register_buffer('place', place, persistent=False)

    def forward(self, codes):
        m = len(self.contents)
        return torch.cat([F.embedding(codes % m, self.contents), F.embedding(codes // m, self.place)], -1) * .5 ** .5


class PlacedQuantizer(nn.Module):
    """A quantizer whose rows are `PlacedCodes`. The nearest row has the place that the input tells, so that contents
    alone are compared."""

    def __init__(self, contents, content_dim, place):
        super().__init__()
        self.embedding = PlacedCodes(contents, content_dim, place)

    def codes(self, z):
        """z (..., code_dim), any length -> codes (...)."""
        contents, place = self.embedding.contents, self.embedding.place
        content, where = z.tensor_split([contents.shape[1]], -1)
        return (where @ place.T).argmax(-1) * len(contents) + (content @ contents.T).argmax(-1)


class DynamicTokenizer(nn.Module):
    """Selector, merger for codes and quantizer: what the official `tokenizer_encoder.bin` holds. With `place_codes` a
    code vector is a content and a place (`PlacedCodes`)."""

    def __init__(self, encoder, c):
        super().__init__()
        width = encoder.width
        self.token_predictor = TokenPredictor(width)
        self.causal_encoder = TokenMerger(width, c.merger_depth, c.heads, c.mlp_hidden,
                                          encoder.grid if c.place_codes else None, c.merger_leaks)
        self.encode_task_layer = nn.Sequential(nn.Linear(width, width), nn.Tanh(),
                                               nn.Linear(width, c.code_dim - c.place_dim))
        self.register_buffer('place', place_table(encoder.grid, c.place_dim) if c.place_dim else None, persistent=False)
        self.quantize = (VectorQuantizer(c.codebook_size, c.code_dim) if self.place is None else
                         PlacedQuantizer(c.contents(encoder.patches), c.code_dim - c.place_dim, self.place))

    def project(self, features, keep):
        """features (B, N, D), keep (B, N) -> unit vectors (B, N, code_dim) that the quantizer compares."""
        return self.placed(self.causal_encoder(features, keep), self.place)

    def placed(self, rows, place):
        z = F.normalize(self.encode_task_layer(rows), dim=-1, eps=1e-12)
        return z if place is None else torch.cat([z, place.expand(z.shape[0], -1, -1)], -1) * .5 ** .5

    def forward(self, features, keep): return self.quantize.codes(self.project(features, keep))

    def kept(self, features, places):
        """features (B, N, D), places (B, K) of the kept patches -> their codes (B, K)."""
        place = None if self.place is None else F.embedding(places, self.place)
        return self.quantize.codes(self.placed(self.causal_encoder.kept(features, places), place))


class UnderstandingMerger(nn.Module):
    """The second merger and the projection into the language model: the official `visual_weight.bin`. With
    `place_codes` rows tell their places aloud: a trained merger without it left a fiftieth of a row's variance to the
    quarter of the picture that the row is from."""

    def __init__(self, encoder, c, hidden):
        super().__init__()
        self.causal_encoder = TokenMerger(encoder.width, c.merger_depth, c.heads, c.mlp_hidden,
                                          encoder.grid if c.place_codes else None, c.merger_leaks)
        self.vit_proj = nn.Linear(encoder.width, hidden)
        self.place_embed = nn.Parameter(place_sines(encoder.grid, hidden)) if c.place_codes else None

    def forward(self, features, keep):
        rows = self.vit_proj(self.causal_encoder(features, keep))
        return rows if self.place_embed is None else rows + self.place_embed

    def kept(self, features, places):
        """features (B, N, D), places (B, K) of the kept patches -> their rows (B, K, H)."""
        rows = self.vit_proj(self.causal_encoder.kept(features, places))
        return rows if self.place_embed is None else rows + F.embedding(places, self.place_embed[0])


# ---------------------------------------------------------------- decoder

class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (split_heads(t, self.heads) for t in self.qkv(x).chunk(3, -1))
        return self.proj(join_heads(F.scaled_dot_product_attention(q, k, v)))


class DecoderBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm0, self.norm1, self.norm2 = (nn.LayerNorm(width) for _ in range(3))
        self.self_attn, self.cross_attn = SelfAttention(width, heads), CrossAttention(width, heads)
        self.mlp = Mlp(width, hidden)

    def forward(self, q, tokens, bias):
        q = q + self.self_attn(self.norm0(q))
        weights = (self.cross_attn.scores(self.norm1(q), tokens) + bias).softmax(-1)
        q = q + self.cross_attn.gather(weights, tokens)
        return q + self.mlp(self.norm2(q))


class TokenizerDecoder(nn.Module):
    """Code vectors in rank order, right-padded (B, K, code_dim), mask (B, K) -> reconstructed features (B, N, D).
    It knows the rank of a code among the kept ones; with `place_codes` also the place that the code vector tells."""

    outputs = ['condition']

    def __init__(self, encoder, c):
        super().__init__()
        width, n, grid = encoder.width, encoder.patches, encoder.grid
        self.in_proj = nn.Linear(c.code_dim, width)
        nn.init.normal_(self.in_proj.weight)
        ranks = torch.arange(n).float()
        self.pos_embed = nn.Parameter(sines(ranks[:, None], width)[None] * .2)
        self.query_embed = nn.Parameter(place_sines(grid, width))
        if c.place_dim:
            self.place_embed = nn.Parameter(place_sines(grid, width))
        self.register_buffer('place', place_table(grid, c.place_dim) if c.place_dim else None, persistent=False)
        self.blocks = nn.ModuleList(DecoderBlock(width, c.heads, c.mlp_hidden) for _ in range(c.decoder_depth))
        self.norm = nn.LayerNorm(width)
        self.decode_task_layer = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width))
        if c.place_dim:
            for block in self.blocks:  # a query looks first at its own place
                nn.init.orthogonal_(block.cross_attn.query.weight)
                block.cross_attn.key.weight.data.copy_(block.cross_attn.query.weight)

    def places(self, vectors):
        """Code vectors (..., code_dim) -> the share of each place (..., N), nearly 0 or 1."""
        return (60 * vectors[..., -self.place.shape[1]:] @ self.place.T).softmax(-1)

    def forward(self, vectors, mask):
        tokens = self.in_proj(vectors) * mask[..., None] + self.pos_embed[:, :vectors.shape[1]]
        if self.place is not None:
            tokens = tokens + self.places(vectors) @ self.place_embed[0]
        bias = ((1 - mask.detach()) * MASKED)[:, None, None, :]  # the selector learns through the values alone
        q = self.query_embed.expand(vectors.shape[0], -1, -1)
        for block in self.blocks:
            q = block(q, tokens, bias)
        return self.decode_task_layer(self.norm(q))


def choose(keep_probability, threshold=.5, least=4):
    """The keep mask (B, N): patches at or above the threshold, and always the `least` best-scored ones."""
    keep = keep_probability >= threshold
    if least:
        keep = keep.scatter(1, keep_probability.topk(least, 1).indices, True)
    return keep.float()


def rank_order(keep):
    """keep (B, N) -> places of kept patches in order, right-padded (B, K), and mask (B, K)."""
    count = keep.sum(1).long()
    k = max(int(count.max()), 1)
    places = keep.argsort(dim=1, descending=True, stable=True)[:, :k]
    return places, (torch.arange(k)[None] < count[:, None]).float()
