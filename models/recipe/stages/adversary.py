"""A critic that learns to tell painted pictures from true ones, so that the painter learns what its distances in pixels
do not say: edges are sharp and surfaces even. Hinge losses on patches of two sizes, given what should be painted
(Miyato and Koyama 2018, "cGANs with Projection Discriminator"; spectral norms as there)."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm


def layer(before, after, size, stride):
    return spectral_norm(nn.Conv2d(before, after, size, stride, (size - 1) // 2))


class Sight(nn.Module):
    """Scores (B, 1, s, s) of what (B, channels, s, s) shows, by itself and beside the features that ask for it."""

    def __init__(self, channels, encoder):
        super().__init__()
        self.grid, self.score = encoder.grid, layer(channels, 1, 1, 1)
        self.asked = spectral_norm(nn.Linear(encoder.width, channels))

    def forward(self, x, features):
        asked = self.asked(features).transpose(1, 2).unflatten(2, (self.grid, self.grid))
        asked = F.interpolate(asked, size=x.shape[-1])
        return self.score(x) + (asked * x).mean(1, keepdim=True)


class Critic(nn.Module):
    """Pictures (B, 3, S, S) and features (B, N, D) -> scores (B, M), high where a picture looks true."""

    def __init__(self, encoder):
        super().__init__()
        self.near = nn.Sequential(layer(3, 32, 4, 2), nn.LeakyReLU(.2), layer(32, 64, 4, 2), nn.LeakyReLU(.2))
        self.far = nn.Sequential(layer(64, 128, 4, 2), nn.LeakyReLU(.2), layer(128, 128, 3, 1), nn.LeakyReLU(.2))
        self.sights = nn.ModuleList((Sight(64, encoder), Sight(128, encoder)))

    def forward(self, pictures, features):
        near = self.near(pictures)
        return torch.cat([sight(x, features).flatten(1) for sight, x in zip(self.sights, (near, self.far(near)))], 1)


def learn(critic, true, painted, features):
    """What the critic is to lessen."""
    features = features.detach()
    return (F.relu(1 - critic(true, features)).mean() + F.relu(1 + critic(painted.detach(), features)).mean())


def please(critic, painted, features):
    """What the painter is to lessen; the critic learns nothing of it."""
    still = {name: value.detach() for name, value in (*critic.named_parameters(), *critic.named_buffers())}
    return -functional_call(critic, still, (painted, features.detach())).mean()
