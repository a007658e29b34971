"""Weights gathered. From models/: `python -m unittest tests.test_collect`."""
import tempfile
import unittest
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import torch

import networks.model
from networks.config import MINI
from networks.model import build, language_model, save_weights
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


class Saving(unittest.TestCase):
    def test_weights_that_are_there_stay_when_the_disk_is_full(self):
        model = build(MINI, 12)
        real, calls = networks.model.save_file, []

        def fill_the_disk(state, path):
            calls.append(path)
            Path(path).write_bytes(b'cut off')
            if len(calls) == 2:
                raise OSError(28, 'No space left on device')
            real(state, path)

        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f'{part}.safetensors' for part in ('encoder', 'tokenizer')]
            save_weights(model, folder, ['encoder', 'tokenizer'])
            before = [file.read_bytes() for file in files]
            for part in (model.encoder, model.tokenizer):
                next(part.parameters()).data.add_(1)
            with mock.patch.object(networks.model, 'save_file', fill_the_disk):
                self.assertRaises(OSError, save_weights, model, folder, ['encoder', 'tokenizer'])
            self.assertEqual([file.read_bytes() for file in files], before)
            save_weights(model, folder, ['encoder', 'tokenizer'])
            self.assertFalse({file.read_bytes() for file in files} & set(before))
            self.assertEqual(sorted(Path(folder).iterdir()), files)


if __name__ == '__main__':
    unittest.main()
