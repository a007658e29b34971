"""How familiar a picture is: whether it shows what the model was trained on."""
import torch
from torch import nn

READINGS = 5                    # of each patch, see `read`
SUMMARY = 5 * READINGS + 1      # of a picture, see `summary`
DROPOUT = .1, .3


class Familiarity(nn.Module):
    """Features (B, N, D) and the selector's log-probabilities (B, N, 2), index 0 keep -> familiarity (B), 0 to 1.

    Two views of a picture, added up. `sureness` judges how surely its patches show known things, as `concept` reads
    them, which is the encoder's own reading and does not learn; `look` judges how its features are spread. The first
    knows strange things from known ones, the second photographs and patterns from drawings.
    """

    def __init__(self, width, concepts):
        super().__init__()
        self.concept = nn.Linear(width, concepts).requires_grad_(False)
        self.sureness, self.look = View(SUMMARY, 32, DROPOUT[0]), View(3 * width, 64, DROPOUT[1])

    def read(self, features, log_probabilities):
        """Of each patch (B, N, 5): odds of the two likeliest concepts, their total, their entropy, the odds to keep;
        and the odds of all concepts (B, N, concepts)."""
        scores = self.concept(features)
        best = scores.topk(2, -1).values
        odds = (scores - best[..., :1]).exp()
        total = odds.sum(-1, keepdim=True)
        odds, total = odds / total, total.log() + best[..., :1]
        entropy = total - (odds * scores).sum(-1, keepdim=True)
        return torch.cat([(best - total).exp(), total / 10, entropy / 6, log_probabilities[..., :1].exp()], -1), odds

    def summary(self, readings, odds):
        """Of a picture (B, 26): its readings' mean over what is kept; the share of patches kept; how many concepts
        share the picture, and the odds of the first four; greatest, least and spread of each reading."""
        keep = readings[..., -1:]
        weight = keep / keep.sum(1, keepdim=True).clamp(min=1e-6)
        whole = (weight * odds).sum(1)
        entropy = -(whole * whole.clamp(min=1e-9).log()).sum(-1, keepdim=True)
        centred = readings - readings.mean(1, keepdim=True)
        spread = (centred.pow(2).sum(1) / (readings.shape[1] - 1)).clamp(min=1e-12).sqrt()
        return torch.cat([(weight * readings).sum(1), (keep > .5).float().mean(1), entropy, whole.topk(4, -1).values,
                          readings.amax(1), readings.amin(1), spread], -1)

    def pool(self, features, readings):
        """Of a picture (B, 3 D): the mean of its features, and mean and mean square over what is kept."""
        weight = readings[..., -1:] + .02
        weighted = weight / weight.sum(1, keepdim=True) * features
        return torch.cat([features.mean(1), weighted.sum(1), (weighted * features).sum(1)], -1)

    def views(self, features, log_probabilities):
        """What the two views are of (B, 26) and (B, 3 D)."""
        readings, odds = self.read(features, log_probabilities)
        return self.summary(readings, odds), self.pool(features, readings)

    def forward(self, features, log_probabilities):
        summary, pooled = self.views(features, log_probabilities)
        return (self.sureness(summary) + self.look(pooled)).sigmoid()


class View(nn.Module):
    """One view's score (B), with a deviation of about 1."""

    def __init__(self, width, hidden, dropout):
        super().__init__()
        self.register_buffer('mean', torch.zeros(width))
        self.register_buffer('deviation', torch.ones(width))
        self.register_buffer('scale', torch.ones(()))
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout),
                                    nn.Linear(hidden, 1))

    def forward(self, x): return self.layers((x - self.mean) / self.deviation)[:, 0] * self.scale
