"""What a checkpoint may hold. Something wrong: one line that names it, and nothing left behind. From models/:
`python -m unittest tests.test_checkpoint`."""
import contextlib
import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import torch
from safetensors.torch import save_file

from importer import __main__ as command
from importer import staging, stream
from importer.layout import open_official
from importer.make_checkpoint import make

LANGUAGE, VISUAL = 'language_model', 'visual_tokenizer'


class Checkpoint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / 'whole'
        make(cls.whole)

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.checkpoint = self.folder / 'checkpoint'
        shutil.copytree(self.whole, self.checkpoint)

    def change(self, name, change):
        path = self.checkpoint / name
        state = torch.load(path, weights_only=True)
        change(state)
        torch.save(state, path)


class Accepted(Checkpoint):
    def test_safetensors_in_place_of_archives(self):
        for path in sorted(self.checkpoint.rglob('*.bin')):
            state = torch.load(path, weights_only=True)
            save_file({'tensor': state} if isinstance(state, torch.Tensor) else state, path.with_suffix('.safetensors'))
            path.unlink()
        index = self.checkpoint / LANGUAGE / 'pytorch_model.bin.index.json'
        (index.parent / 'model.safetensors.index.json').write_text(index.read_text().replace('.bin', '.safetensors'))
        index.unlink()
        for kind in ('lowres', 'highres'):
            states = [open_official(folder, kind).states for folder in (self.whole, self.checkpoint)]
            for ours, theirs in zip(*states, strict=True):
                self.assertEqual(ours.keys(), theirs.keys())
                for key in ours:
                    self.assertTrue(torch.equal(ours[key].read(), theirs[key].read()), key)

    def test_frequencies_that_old_libraries_stored_with_the_language_model(self):
        shard, key = 'pytorch_model-00001-of-00002.bin', 'model.layers.0.self_attn.rotary_emb.inv_freq'
        self.change(f'{LANGUAGE}/{shard}', lambda state: state.update({key: torch.zeros(6)}))
        path = self.checkpoint / LANGUAGE / 'pytorch_model.bin.index.json'
        index = json.loads(path.read_text())
        index['weight_map'][key] = shard
        path.write_text(json.dumps(index))
        open_official(self.checkpoint)


class Refused(Checkpoint):
    def refused(self, *said, options=(), out='package'):
        """The import fails with one line that holds these words, and leaves no file or folder."""
        before, errors = sorted(self.folder.iterdir()), io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = command.main([str(self.checkpoint), str(self.folder / out), *options])
        line = errors.getvalue().split('\r')[-1].strip().splitlines()[-1]
        self.assertNotEqual(code, 0)
        for word in said:
            self.assertIn(word, line)
        self.assertTrue(line.startswith('importer: '), line)
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def change_config(self, **values):
        path = self.checkpoint / LANGUAGE / 'config.json'
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    def test_a_truncated_archive(self):
        path = self.checkpoint / VISUAL / 'tokenizer_encoder.bin'
        path.write_bytes(path.read_bytes()[:-2000])
        self.refused('visual_tokenizer/tokenizer_encoder.bin', 'truncated')

    def test_a_truncated_safetensors_file(self):
        path = self.checkpoint / VISUAL / 'tokenizer_encoder.bin'
        save_file(torch.load(path, weights_only=True), path.with_suffix('.safetensors'))
        path.unlink()
        path = path.with_suffix('.safetensors')
        path.write_bytes(path.read_bytes()[:-2000])
        self.refused('visual_tokenizer/tokenizer_encoder.safetensors', 'truncated')

    def test_an_archive_that_would_run_code(self):
        torch.save({'weight': Path('.')}, self.checkpoint / VISUAL / 'tokenizer_encoder.bin')
        self.refused('visual_tokenizer/tokenizer_encoder.bin')

    def test_missing_files(self):
        for name in (f'{VISUAL}/eva_vitg_psz14.bin', f'{VISUAL}/tokenizer_encoder.bin', f'{LANGUAGE}/visual_weight.bin',
                     f'{LANGUAGE}/config.json', f'{LANGUAGE}/tokenizer.model'):
            with self.subTest(name):
                (self.checkpoint / name).rename(self.folder / 'aside')
                self.refused(name, 'missing')
                (self.folder / 'aside').rename(self.checkpoint / name)

    def test_a_missing_checkpoint(self):
        self.checkpoint = self.folder / 'elsewhere'
        self.refused('elsewhere', 'no such folder')

    def test_a_missing_shard(self):
        (self.checkpoint / LANGUAGE / 'pytorch_model-00002-of-00002.bin').unlink()
        self.refused('language_model/pytorch_model-00002-of-00002.bin', 'missing')

    def test_a_shard_outside_the_folder(self):
        path = self.checkpoint / LANGUAGE / 'pytorch_model.bin.index.json'
        path.write_text(path.read_text().replace('pytorch_model-00002', '../pytorch_model-00002'))
        self.refused('../pytorch_model-00002-of-00002.bin')

    def test_a_missing_key_in_each_file(self):
        for name, key in ((f'{VISUAL}/eva_vitg_psz14.bin', 'blocks.1.attn.q_bias'),
                          (f'{VISUAL}/eva_vitg_psz14.bin', 'head.bias'),
                          (f'{VISUAL}/tokenizer_encoder.bin', 'token_predictor.out_conv.4.bias'),
                          (f'{LANGUAGE}/visual_weight.bin', 'causal_encoder.norm.weight'),
                          (f'{LANGUAGE}/pytorch_model-00002-of-00002.bin', 'model.norm.weight')):
            with self.subTest(key):
                kept = (self.checkpoint / name).read_bytes()
                self.change(name, lambda state, key=key: state.pop(key))
                self.refused(name, key, 'missing')
                (self.checkpoint / name).write_bytes(kept)

    def test_an_unexpected_key_in_each_file(self):
        for name, key in ((f'{VISUAL}/eva_vitg_psz14.bin', 'blocks.1.attn.k_bias'),
                          (f'{VISUAL}/tokenizer_encoder.bin', 'vit_proj.weight'),
                          (f'{LANGUAGE}/visual_weight.bin', 'token_predictor.in_conv.0.weight'),
                          (f'{LANGUAGE}/pytorch_model-00002-of-00002.bin', 'model.layers.0.self_attn.q_proj.bias')):
            with self.subTest(key):
                kept = (self.checkpoint / name).read_bytes()
                self.change(name, lambda state, key=key: state.update({key: torch.zeros(4)}))
                self.refused(name, key, 'unexpected')
                (self.checkpoint / name).write_bytes(kept)

    def test_a_wrong_shape(self):
        key = 'causal_encoder.blocks.0.mlp.fc2.weight'
        self.change(f'{LANGUAGE}/visual_weight.bin', lambda state: state.update({key: state[key][:, 1:].clone()}))
        self.refused('language_model/visual_weight.bin', key, '[64, 278]', '[64, 279]')

    def test_integers_for_weights(self):
        self.change(f'{LANGUAGE}/visual_weight.bin',
                    lambda state: state.update({'vit_proj.bias': torch.zeros(48).int()}))
        self.refused('language_model/visual_weight.bin', 'vit_proj.bias', 'int32')

    def test_a_config_that_the_weights_contradict_or_that_is_not_computed(self):
        for values in ({'num_hidden_layers': 3}, {'vocab_size': 32000}, {'num_key_value_heads': 2},
                       {'hidden_act': 'gelu'},
                       {'rope_scaling': {'type': 'linear', 'factor': 2}}, {'tie_word_embeddings': True}):
            with self.subTest(values):
                kept = (self.checkpoint / LANGUAGE / 'config.json').read_text()
                self.change_config(**values)
                self.refused('config.json')
                (self.checkpoint / LANGUAGE / 'config.json').write_text(kept)

    def test_a_truncated_text_model(self):
        path = self.checkpoint / LANGUAGE / 'tokenizer.model'
        path.write_bytes(path.read_bytes()[:-11])
        self.refused('language_model/tokenizer.model')

    def test_a_checkpoint_without_the_pixel_decoder_asked_for(self):
        shutil.rmtree(self.checkpoint / 'highres_pixel_decoding/unet', ignore_errors=True)
        self.refused('highres_pixel_decoding/unet', '--pixel-decoder none', options=['--pixel-decoder', 'highres'])

    def test_an_output_that_exists_or_cannot_be_a_package(self):
        (self.folder / 'package').mkdir()
        self.refused('package', 'exists')
        self.refused('LaVIT', out='LaVIT')
        self.refused('nowhere', 'no such folder', out='nowhere/package')

    def test_too_little_disk_space(self):
        with mock.patch.object(staging.shutil, 'disk_usage', return_value=mock.Mock(free=1 << 20)):
            self.refused('needed', '0.0 GB free')

    def test_a_disk_that_fills_while_writing(self):
        with mock.patch.object(stream.DataFiles, 'add', side_effect=OSError(28, 'No space left on device')):
            self.refused('No space left')

    def test_being_told_to_stop(self):
        process = subprocess.Popen([sys.executable, '-m', 'importer', self.checkpoint, self.folder / 'package'],
                                   cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(self.folder.glob('.package.partial-*/*.data')):
            time.sleep(.05)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 128 + signal.SIGTERM)
        self.assertEqual([p.name for p in self.folder.iterdir()], ['checkpoint'])


if __name__ == '__main__':
    unittest.main()
