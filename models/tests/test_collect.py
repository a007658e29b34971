"""Weights gathered. From models/: `python -m unittest tests.test_collect`."""
import tempfile
import unittest
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import torch

from networks.config import MINI
from networks.model import language_model, save_weights
from recipe.collect import mix


class Mixing(unittest.TestCase):
    def test_every_tensor_moves_by_the_share_once_tied_tables_too(self):
        before, after = language_model(), language_model()
        for module, value in ((before, 1.), (after, 3.)):
            for tensor in module.parameters():
                torch.nn.init.constant_(tensor, value)
        with tempfile.TemporaryDirectory() as folder:
            save_weights(SimpleNamespace(config=MINI, language_model=before), folder, ['language_model'])
            mixed = deepcopy(after)
            mix(mixed, Path(folder) / 'language_model.safetensors', .25)
        for name, tensor in mixed.state_dict().items():
            self.assertTrue((tensor == 2.5).all(), name)


if __name__ == '__main__':
    unittest.main()
