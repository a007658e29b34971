"""What things usually look like, as the language model learnt to read them."""
from torch import nn

SHARPNESS = 2.  # of the reading, in times the encoder's own
SHARE = .5      # of the way that a feature goes


class Memory(nn.Module):
    """Features (B, N, D) -> features (B, N, D): of patches that show a thing, halfway to the mean feature of what they
    are most like.

    A modern Hopfield network gives back the stored pattern that is nearest to a cue (Ramsauer et al. 2021, "Hopfield
    networks is all you need"). Here its keys are the encoder's own reading of a patch (`concept`), its patterns the
    mean features of each thing in known art (`usual`), and `shows` tells patches of things from the ground. In art that
    was never seen the encoder recognises more things than a language model does that learnt to read known art alone:
    this says them as known art would.
    """

    def __init__(self, width, concepts):
        super().__init__()
        self.shows = nn.Linear(width, 1)
        self.concept = nn.Linear(width, concepts)
        self.usual = nn.Linear(concepts, width, bias=False)

    def forward(self, features):
        recalled = self.usual((SHARPNESS * self.concept(features)).softmax(-1))
        return features + SHARE * self.shows(features).sigmoid() * (recalled - features)
