"""What is taken away from the model, one thing at a time."""
import math
from dataclasses import dataclass
from functools import partial

from torch import nn

from networks.config import MINI
from networks.model import language_model
from networks.visual_tokenizer import UnderstandingMerger, choose, place_sines

from ..stages.language_model import C, Eyes, fact_reader
from .continuous import ContinuousLanguageModel


@dataclass(frozen=True)
class Variant:
    selection: str = 'dynamic'
    merger: bool = True
    continuous: bool = False


VARIANTS = {'paper': Variant(), 'regression': Variant(continuous=True), 'fixed': Variant(selection='fixed'),
            'full': Variant(selection='full'), 'no-merger': Variant(merger=False)}


def selections(count):
    """Name -> rule from keep probabilities (B, N) to the keep mask (B, N). `count`: patches that `fixed` keeps."""
    return {'dynamic': partial(choose, threshold=.5, least=C.min_visual_tokens),
            'fixed': partial(choose, threshold=math.inf, least=count),
            'full': partial(choose, threshold=0, least=0)}


class SelectingEyes(Eyes):
    """Keeps patches by a rule of its own."""

    def __init__(self, eyes, rule):
        super().__init__(eyes.encoder, eyes.tokenizer, eyes.decoder, eyes.painter)
        self.rule = rule

    def select(self, scores, threshold): return self.rule(scores)


class Unmerged(nn.Module):
    """In place of the `UnderstandingMerger`: features (B, N, D), keep (B, N) -> rows (B, N, H) that tell their own
    patch and its place, and nothing of dropped ones."""

    def __init__(self, encoder, hidden):
        super().__init__()
        self.vit_proj = nn.Linear(encoder.width, hidden)
        self.place_embed = nn.Parameter(place_sines(encoder.grid, hidden))

    def forward(self, features, keep): return self.vit_proj(features) + self.place_embed


def build(variant, tokenizer):
    """The modules that learn, by name, and those among them that learn slowly."""
    hidden = MINI.language_model.hidden
    lm = ContinuousLanguageModel(MINI) if variant.continuous else language_model()
    reader = fact_reader()
    if not variant.merger:
        return {'language_model': lm, 'understanding': Unmerged(MINI.encoder, hidden), 'reader': reader}, []
    merger = UnderstandingMerger(MINI.encoder, C, hidden)
    merger.causal_encoder.load_state_dict(tokenizer.causal_encoder.state_dict())
    return {'language_model': lm, 'understanding': merger, 'reader': reader}, [merger.causal_encoder]
