"""How the codebook learns: k-means start, moving averages in place of gradients, revival of codes that nobody uses."""
import torch
import torch.nn.functional as F
from torch import nn


class CodebookLearner(nn.Module):
    """Moves the contents of a PlacedQuantizer; what it knows beside them is kept in the checkpoint."""

    def __init__(self, contents):
        super().__init__()
        self.register_buffer('usage', torch.ones(contents))
        self.register_buffer('started', torch.tensor(False))
        self.seen = []

    @torch.no_grad()
    def learn(self, quantizer, z, decay=.98, dead=.01):
        """One step on unit vectors z (M, code_dim): collects their contents for the start, then follows them."""
        rows = quantizer.embedding.contents
        z = F.normalize(z[:, :rows.shape[1]], dim=-1)
        if not self.started:
            self.seen.append(z)
            if sum(map(len, self.seen)) >= 40 * len(rows):
                rows.copy_(k_means(torch.cat(self.seen), len(rows)))
                self.started.fill_(True)
                self.seen = []
            return
        codes = (z @ rows.T).argmax(-1)
        count = torch.bincount(codes, minlength=len(rows)).float()
        total = torch.zeros_like(rows).index_add_(0, codes, z)
        used = count > 0
        rate = (1 - decay) * count[used].clamp(max=4)[:, None]
        rows[used] = F.normalize(rows[used] * (1 - rate) + F.normalize(total[used], dim=-1) * rate, dim=-1)
        self.usage.mul_(decay).add_(count, alpha=1 - decay)
        lost = (self.usage < dead).nonzero().squeeze(1)[:len(z) // 4]
        rows[lost] = z[torch.randint(len(z), (len(lost),))]
        self.usage[lost] = .3


def k_means(z, size, rounds=8):
    """Unit vectors z (M, code_dim) -> unit centres (size, code_dim)."""
    centres = z[torch.randperm(len(z))[:size]].clone()
    for _ in range(rounds):
        nearest = torch.cat([(part @ centres.T).argmax(1) for part in z.split(8192)])
        count = torch.bincount(nearest, minlength=size)
        centres = F.normalize(torch.zeros_like(centres).index_add_(0, nearest, z), dim=-1)
        empty = count == 0
        centres[empty] = z[torch.randint(len(z), (int(empty.sum()),))]
    return centres
