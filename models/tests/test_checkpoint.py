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
from importer import make_checkpoint, module, staging, stream
from importer.language_config import depth
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

    def test_a_file_whose_name_tells_the_other_format(self):
        path = self.checkpoint / VISUAL / 'tokenizer_encoder.bin'
        save_file(torch.load(path, weights_only=True), path)
        open_official(self.checkpoint)

    def test_options_without_effect_and_the_base_of_the_rotary_embedding(self):
        path = self.checkpoint / LANGUAGE / 'config.json'
        config = {**json.loads(path.read_text()), 'head_dim': 12, 'attention_bias': False, 'torch_dtype': 'float16',
                  'bos_token_id': 1, '_name_or_path': 'LaVIT', 'pretraining_tp': 1, 'sliding_window': None,
                  'pruned_heads': {}}
        del config['rope_theta']
        for values, base in (({}, 1e4), ({'rope_theta': 5e5}, 5e5), ({'rope_scaling': {'rope_type': 'default'}}, 1e4),
                             ({'rope_parameters': {'rope_theta': 2e4, 'rope_type': 'default'}}, 2e4)):
            path.write_text(json.dumps({**config, **values}))
            self.assertEqual(open_official(self.checkpoint).config.language_model.rotary_base, base)

    def test_queries_that_share_keys_and_values(self):
        names = [f'model.layers.{layer}.self_attn.{kind}_proj.weight' for layer in range(2) for kind in 'kv']
        for path in (self.checkpoint / LANGUAGE).glob('pytorch_model-*.bin'):
            self.change(f'{LANGUAGE}/{path.name}', lambda state: state.update(
                {name: state[name][:24].clone() for name in names if name in state}))
        path = self.checkpoint / LANGUAGE / 'config.json'
        path.write_text(json.dumps({**json.loads(path.read_text()), 'num_key_value_heads': 2}))
        self.assertEqual(open_official(self.checkpoint).config.language_model.kv_heads, 2)

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
        self.assertNotRegex(line, 'weights_only|[Pp]ickle|allowlist|safe_globals')
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
        self.refused('visual_tokenizer/tokenizer_encoder.bin', 'pathlib', 'not read')

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

    def test_a_block_far_beyond_the_others(self):
        key = 'blocks.99999999.norm1.bias'
        self.assertEqual(depth([key, 'blocks.0.norm1.bias', 'blocks.0.norm1.weight', 'norm.bias'], 'blocks.'), 2)
        self.change(f'{VISUAL}/eva_vitg_psz14.bin', lambda state: state.update({key: torch.zeros(64)}))
        self.refused('eva_vitg_psz14.bin', 'key blocks.3.', 'missing')

    def test_a_tensor_without_values_that_sizes_are_read_from(self):
        for name, key, shape in ((f'{VISUAL}/eva_vitg_psz14.bin', 'pos_embed', (1, 0, 64)),
                                 (f'{VISUAL}/eva_vitg_psz14.bin', 'patch_embed.proj.weight', (64, 3, 0, 0))):
            with self.subTest(key):
                kept = (self.checkpoint / name).read_bytes()
                self.change(name, lambda state, key=key, shape=shape: state.update({key: torch.zeros(shape)}))
                self.refused(name, key, 'empty')
                (self.checkpoint / name).write_bytes(kept)

    def test_a_wrong_shape(self):
        key = 'causal_encoder.blocks.0.mlp.fc2.weight'
        self.change(f'{LANGUAGE}/visual_weight.bin', lambda state: state.update({key: state[key][:, 1:].clone()}))
        self.refused('language_model/visual_weight.bin', key, '[64, 278]', '[64, 279]')

    def test_integers_for_weights(self):
        self.change(f'{LANGUAGE}/visual_weight.bin',
                    lambda state: state.update({'vit_proj.bias': torch.zeros(48).int()}))
        self.refused('language_model/visual_weight.bin', 'vit_proj.bias', 'int32')

    def test_weights_in_double_precision(self):
        self.change(f'{LANGUAGE}/visual_weight.bin',
                    lambda state: state.update({'vit_proj.bias': torch.zeros(48).double()}))
        self.refused('language_model/visual_weight.bin', 'float64', 'half, bfloat16 and single precision are read')

    def test_a_config_that_the_weights_contradict(self):
        for values in ({'num_hidden_layers': 3}, {'vocab_size': 32000}, {'hidden_size': 52}, {'hidden_size': '48'},
                       {'num_attention_heads': 0}, {'num_attention_heads': 5}, {'hidden_size': 10 ** 30},
                       {'rms_norm_eps': float('nan')}):
            self.refused_config(values, *values)

    def test_options_that_change_what_is_computed(self):
        for values in ({'rope_scaling': {'type': 'linear', 'factor': 2}}, {'rope_scaling': 'linear'},
                       {'rope_parameters': {'rope_theta': 10000., 'rope_type': 'yarn', 'factor': 4.}},
                       {'rope_parameters': {'rope_type': 'default', 'factor': 4.}},
                       {'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': .5}},
                       {'num_key_value_heads': 3}, {'num_key_value_heads': 8}, {'head_dim': 16},
                       {'partial_rotary_factor': .5}, {'sliding_window': 512}, {'use_sliding_window': True},
                       {'attention_bias': True}, {'mlp_bias': True}, {'hidden_act': 'gelu'},
                       {'tie_word_embeddings': True}, {'rope_theta': -1},
                       {'quantization_config': {'quant_method': 'awq', 'bits': 4}}, {'model_type': 'mistral'},
                       {'logit_scale': .25}, {'attn_logit_softcapping': 50.}, {'layer_types': ['full_attention'] * 2},
                       {'pruned_heads': {'0': [1]}}):
            self.refused_config(values, *values)

    def refused_config(self, values, *said):
        with self.subTest(values):
            path = self.checkpoint / LANGUAGE / 'config.json'
            kept = path.read_text()
            self.change_config(**values)
            self.refused('config.json', *said)
            path.write_text(kept)

    def test_two_bases_of_the_rotary_embedding(self):
        self.change_config(rope_theta=10000., rope_parameters={'rope_theta': 5e5, 'rope_type': 'default'})
        self.refused('config.json', 'rope_theta', '10000', '500000')

    def test_weights_that_are_no_numbers(self):
        key = 'causal_encoder.blocks.0.mlp.fc2.weight'
        for value, said in ((float('nan'), 'NaN'), (float('-inf'), 'infinite')):
            with self.subTest(said):
                self.change(f'{LANGUAGE}/visual_weight.bin', lambda state, v=value: state[key].view(-1)[7:8].fill_(v))
                self.refused('language_model/visual_weight.bin', key, said)

    def test_weights_that_are_no_numbers_in_a_tensor_that_goes_from_file_to_file(self):
        key = 'model.layers.1.mlp.down_proj.weight'
        self.change(f'{LANGUAGE}/pytorch_model-00002-of-00002.bin',
                    lambda state: state[key].view(-1)[-1:].fill_(float('nan')))
        with mock.patch.object(module, 'PLACEHOLDER_FROM', 1):
            self.refused('pytorch_model-00002-of-00002.bin', key, 'NaN')

    def test_something_else_in_place_of_weights(self):
        pointer = b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 9978\n'
        for content, said in ((b'', 'empty'), (pointer, 'git-lfs pointer'), (bytes(4096), 'zeros'),
                              (b'<!DOCTYPE html><html><body>Sign in', 'web page'), (b'\n <html lang="en">', 'web page'),
                              (b'Entry not found', 'Entry not found'), ('Zugriff verweigert: ü'.encode(), 'verweigert'),
                              (b'{"error": "Repository not found"}', 'text'), (b'\x1f\x8b\x08' + bytes(99), 'gzip')):
            for name in (f'{LANGUAGE}/pytorch_model-00001-of-00002.bin', f'{VISUAL}/tokenizer_encoder.bin',
                         f'{LANGUAGE}/tokenizer.model'):
                with self.subTest(said, name=name):
                    kept = (self.checkpoint / name).read_bytes()
                    (self.checkpoint / name).write_bytes(content)
                    self.refused(name, said)
                    (self.checkpoint / name).write_bytes(kept)

    def test_something_else_in_place_of_json(self):
        for content, said in ((b'', 'empty'), (b'version https://git-lfs.github.com/spec/v1\n', 'git-lfs pointer'),
                              (b'<html>', 'web page'), (b'[1, 2]', 'text'), (b'{"hidden_size": ', 'not JSON')):
            for name in (f'{LANGUAGE}/config.json', f'{LANGUAGE}/pytorch_model.bin.index.json'):
                with self.subTest(said, name=name):
                    kept = (self.checkpoint / name).read_bytes()
                    (self.checkpoint / name).write_bytes(content)
                    self.refused(name, said)
                    (self.checkpoint / name).write_bytes(kept)

    def test_weights_in_a_wrapping(self):
        name = f'{LANGUAGE}/visual_weight.bin'
        state = torch.load(self.checkpoint / name, weights_only=True)
        for content, said in (({'model': state}, "'model'"), ({'epoch': 3, 'state_dict': state}, 'epoch'),
                              ({'state_dict': state, 'epoch': 3}, "'state_dict'"), ([state], 'list'),
                              ({'visual': 'none', **state}, 'visual'), ({}, 'no tensors')):
            with self.subTest(said):
                torch.save(content, self.checkpoint / name)
                self.refused(name, said)

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

    def test_a_context_that_a_picture_and_its_caption_do_not_fit(self):
        for context in ('0', '1', '101'):  # 64 patches between start and end, and 36 words
            self.refused(f'--context {context} is less than 102', options=['--context', context])
        self.assertEqual(open_official(self.checkpoint, context=102).config.language_model.max_length, 102)

    def test_a_checkpoint_where_something_is(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit):
            make_checkpoint.main([str(self.checkpoint)])
        self.assertIn(f'{self.checkpoint}: exists already', errors.getvalue())

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
