"""One definition of each exported graph, for every size of the model: what the server runs."""
import torch
from torch import nn

BATCH = torch.export.Dim('batch', min=1, max=4096)
ROWS = torch.export.Dim('rows', min=1, max=4096)
CANDIDATES = 64      # that the visual head gives
LEAST_TEXT_ID = 3    # unknown, begin and end stand below
NEVER = -1e30


class Vision(nn.Module):
    """Pixels uint8 (B, 3, S, S) -> features (B, N, D)."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels): return self.encoder(self.encoder.normalise(pixels))


class MergerToCodes(nn.Module):
    """Features (B, N, D), places int64 (B, K) of the kept patches -> their codes int64 (B, K)."""

    def __init__(self, tokenizer):
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, features, places): return self.tokenizer.kept(features, places)


class MergerToEmbeddings(nn.Module):
    """Features (B, N, D), places int64 (B, K) of the kept patches -> their embeddings (B, K, H)."""

    def __init__(self, memory, understanding):
        super().__init__()
        self.memory, self.understanding = memory or nn.Identity(), understanding

    def forward(self, features, places): return self.understanding.kept(self.memory(features), places)


class Decoder(nn.Module):
    """Codes int64 (B, N) right-padded, mask (B, N) -> condition (B, N, C), and what else the decoder gives."""

    def __init__(self, codebook, decoder):
        super().__init__()
        self.codebook, self.decoder = codebook, decoder

    def forward(self, codes, mask): return self.decoder(self.codebook(codes), mask)


class PaintedPicture(nn.Module):
    """Condition (B, N, C) -> picture (B, 3, h, w) within -1..1."""

    def __init__(self, painter):
        super().__init__()
        self.painter = painter

    def forward(self, condition): return self.painter(condition).clamp(-1, 1)


class LanguageStep(nn.Module):
    """New tokens against the external cache; see `LanguageModel.step`."""

    def __init__(self, language_model):
        super().__init__()
        self.language_model = language_model

    def forward(self, token_ids, embeddings, is_embedding, positions, cache_bias, cache):
        return self.language_model.step(token_ids, embeddings, is_embedding, positions, cache_bias, *cache)


def candidates(config): return min(CANDIDATES, config.tokenizer.codebook_size)


class TextHead(nn.Module):
    """States (B, H) -> log-probabilities (B, W) of the text ids, normalised over the whole vocabulary."""

    def __init__(self, language_model, words):
        super().__init__()
        self.language_model, self.words = language_model, words

    def forward(self, states): return self.language_model.word_log_probabilities(states, self.words)


class VisualHead(nn.Module):
    """What may come next in a picture: the visual ids, the image end, and the few other ids that are dropped.

    `states` (R, H) of all rows; sample i is drawn from row `conditional[i]`, guided away from row `unconditional[i]`:
    u + s (c - u) with `guidance_scale[i]`. `may_end[i]` allows the image end, `may_skip[i]` the ids that are dropped.
    Gives for each sample its best candidates, best first: vocabulary ids, guided scores and log-probabilities of the
    conditional row, each (B, K); and for every row the log-probabilities (R, S) of the dropped text ids and of all ids
    from the image start on.
    """

    def __init__(self, language_model, config):
        super().__init__()
        self.language_model, self.image_start = language_model, config.image_start
        self.dropped = LEAST_TEXT_ID + 1
        self.candidates = candidates(config)
        self.register_buffer('columns', torch.tensor([*range(LEAST_TEXT_ID),
                                                      *range(config.image_start, config.vocabulary)]))

    def forward(self, states, conditional, unconditional, guidance_scale, may_end, may_skip):
        everything = self.language_model.log_probabilities(states)
        rows = torch.cat([everything[:, :LEAST_TEXT_ID], everything[:, self.image_start:]], -1)
        c, u = rows[conditional], rows[unconditional]
        guided = u + guidance_scale[:, None] * (c - u)
        never = torch.where(may_skip, 0., NEVER)[:, None].expand(-1, self.dropped)
        end = torch.where(may_end, 0., NEVER)[:, None]
        words = guided[:, :self.dropped + 1] + torch.cat([never, end], -1)
        scores, places = torch.cat([words, guided[:, self.dropped + 1:]], -1).topk(self.candidates)
        return self.columns[places], scores, c.gather(1, places), rows


def definitions(model):
    """name -> (module, example inputs by name, output names, dynamic axes by input). Parts that are None have no
    graph."""
    c, e = model.config, model.config.encoder
    n, d, s = e.patches, e.width, e.image_size
    features, keep = torch.randn(2, n, d), (torch.rand(2, n) < .4).float()
    places = torch.stack([torch.arange(7), torch.randperm(n)[:7].sort().values])
    merger = {'features': {0: BATCH}, 'places': {0: BATCH, 1: torch.export.Dim('kept', min=1, max=n)}}
    lm = c.language_model
    t, p = torch.export.Dim('new', min=1, max=lm.max_length), torch.export.Dim('past', min=1, max=lm.max_length)
    cache = [torch.randn(2, *shape) for shape in lm.cache(7)]
    row = {0: BATCH}
    graphs = {
        'vision': (Vision(model.encoder), {'pixels': torch.randint(0, 256, (2, 3, s, s), dtype=torch.uint8)},
                   ['features'], {'pixels': row}),
        'token_predictor': (model.tokenizer.token_predictor, {'x': features}, ['log_probabilities'], {'x': row}),
        'merger_codes': (MergerToCodes(model.tokenizer), {'features': features, 'places': places}, ['codes'], merger),
        'merger_embeddings': (MergerToEmbeddings(model.memory, model.understanding),
                              {'features': features, 'places': places}, ['embeddings'], merger),
        'language_model': (
            LanguageStep(model.language_model),
            {'token_ids': torch.randint(0, c.vocabulary, (2, 3)), 'embeddings': torch.randn(2, 3, lm.hidden),
             'is_embedding': torch.tensor([[True, False, False], [False, True, True]]),
             'positions': torch.arange(3).repeat(2, 1) + 7, 'cache_bias': torch.zeros(2, 7), 'cache': cache},
            ['states', *(f'new_{kind}.{i}' for i in range(lm.layers) for kind in ('keys', 'values'))],
            {**{k: {0: BATCH, 1: t} for k in ('token_ids', 'embeddings', 'is_embedding', 'positions')},
             'cache_bias': {0: BATCH, 1: p},
             'cache': [{0: BATCH, 3 if k % 2 == 0 else 2: p} for k in range(2 * lm.layers)]}),
        'text_head': (TextHead(model.language_model, c.image_start), {'states': torch.randn(2, lm.hidden)},
                      ['log_probabilities'], {'states': row}),
        'visual_head': (
            VisualHead(model.language_model, c),
            {'states': torch.randn(3, lm.hidden), 'conditional': torch.tensor([0, 2]),
             'unconditional': torch.tensor([0, 1]), 'guidance_scale': torch.tensor([2., 1.]),
             'may_end': torch.tensor([True, False]), 'may_skip': torch.tensor([False, True])},
            ['ids', 'scores', 'candidate_log_probabilities', 'log_probabilities'],
            {'states': {0: ROWS}, 'conditional': row, 'unconditional': row, 'guidance_scale': row, 'may_end': row,
             'may_skip': row}),
    }
    if model.decoder is not None:
        graphs['tokenizer_decoder'] = (Decoder(model.tokenizer.quantize.embedding, model.decoder),
                                       {'codes': torch.randint(0, c.tokenizer.codebook_size, (2, n)), 'mask': keep},
                                       model.decoder.outputs, {'codes': row, 'mask': row})
    if model.painter is not None:
        graphs['painter'] = (PaintedPicture(model.painter), {'condition': features}, ['picture'], {'condition': row})
    if model.denoiser is not None:
        size = c.pixel_decoder.picture_size
        picture = torch.rand(2, 3, size, size) * 2 - 1
        graphs['denoiser'] = (model.denoiser,
                              {'latents': torch.randn(2, 3, size, size), 'timestep': torch.rand(2),
                               'condition': features, 'picture': picture},
                              ['prediction'], dict.fromkeys(('latents', 'timestep', 'condition', 'picture'), row))
    if model.familiarity is not None:
        log_probabilities = torch.randn(2, n, 2).log_softmax(-1)
        graphs['familiarity'] = (model.familiarity, {'features': features, 'log_probabilities': log_probabilities},
                                 ['familiarity'], {'features': row, 'log_probabilities': row})
    return graphs


def input_names(example, layers):
    """Names on the graph: the cache is one input for each layer's keys and one for its values."""
    return [k for k in example if k != 'cache'] + ([f'cache_{kind}.{i}' for i in range(layers)
                                                    for kind in ('keys', 'values')] if 'cache' in example else [])
