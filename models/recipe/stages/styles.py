"""Pictures and features in styles that nobody draws, so that what stays the same is learnt: a thing's shape."""
import torch
import torch.nn.functional as F

CONVOLVED, MIXED = .25, .5  # shares of pictures seen through a random filter, and of batches whose styles are mixed
KERNELS = 1, 3, 5
SPREAD = .1                 # Beta(SPREAD, SPREAD): mostly one style or the other, seldom half of each


def convolved(x):
    """Normalised pixels (B, 3, S, S), a share of them through a random filter of their own and that in part (Xu et al.
    2021, "Robust and generalizable visual representation learning via random convolutions"). Edges stay, colours and
    textures do not."""
    chosen = (torch.rand(len(x)) < CONVOLVED).nonzero()[:, 0]
    if not len(chosen):
        return x
    size = KERNELS[torch.randint(len(KERNELS), ()).item()]
    filters = torch.randn(len(chosen) * 3, 3, size, size) / (3 ** .5 * size)
    seen = F.conv2d(x[chosen].reshape(1, -1, *x.shape[2:]), filters, padding=size // 2, groups=len(chosen))
    seen = seen.view(len(chosen), 3, *x.shape[2:])
    share = torch.rand(len(chosen), 1, 1, 1)
    out = x.clone()
    out[chosen] = (share * x[chosen] + (1 - share) * seen).clamp(-2.5, 2.5)
    return out


def mix_styles(features, first):
    """Feature maps (B, C, H, W): from row `first` on each takes mean and deviation of its channels in part from another
    (Zhou et al. 2021, "Domain generalization with MixStyle")."""
    if torch.rand(()) > MIXED:
        return features
    mine = features[first:]
    mean, deviation = mine.mean((2, 3), keepdim=True).detach(), mine.std((2, 3), keepdim=True).detach() + 1e-3
    share = torch.distributions.Beta(SPREAD, SPREAD).sample((len(mine), 1, 1, 1))
    other = torch.randperm(len(mine))
    mixed = ((mine - mean) / deviation * (share * deviation + (1 - share) * deviation[other])
             + share * mean + (1 - share) * mean[other])
    return torch.cat([features[:first], mixed])
