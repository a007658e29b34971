"""The official pixel decoders' networks: `python -m unittest tests.test_stable_diffusion`, from models/."""
import math
import tempfile
import unittest
from pathlib import Path

import torch

from importer.stable_diffusion.autoencoder import AutoencoderDecoder, decoder_state
from importer.stable_diffusion.config import autoencoder_config, noise_schedule, unet_config
from importer.stable_diffusion.graphs import denoiser_of
from importer.stable_diffusion.random_checkpoint import (
    AUTOENCODER,
    LOWRES_UNET,
    SCHEDULER,
    make_pixel_decoder,
    manifest_part_of,
    open_pixel_decoder,
    read_json,
)
from importer.stable_diffusion.unet import Unet, sinusoids

from . import pixel_reference as reference

ROWS, WIDTH, POOLED = 9, 48, 80

SD15 = {'cross_attention_dim': 768}
SDXL = {'block_out_channels': [320, 640, 1280], 'attention_head_dim': [5, 10, 20], 'cross_attention_dim': 2048,
        'transformer_layers_per_block': [1, 2, 10], 'use_linear_projection': True, 'addition_embed_type': 'text_time',
        'addition_time_embed_dim': 256, 'projection_class_embeddings_input_dim': 2816,
        'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
        'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D']}
VAE = {'block_out_channels': [128, 256, 512, 512], 'layers_per_block': 2, 'up_block_types': ['UpDecoderBlock2D'] * 4}

# What the library diffusers 0.21.0, in double precision, gives for the weights of `make_pixel_decoder(layers=2)` and
# `inputs(12, 16, rows=2)`: all channels of two places. Its timestep embedding is in single precision.
LIBRARY = {
    'lowres': [[-.529689251, -.545144836, -.219760221, -.50655723], [-.071826403, .556704657, -.072335372, .019821280]],
    'highres': [[.255938635, .389172964, -.090364596, -.212889345], [-.448655425, -.746593714, -.82310622, .261968803]],
    'autoencoder': [[.503561312, -.314406766, .034036644], [-.134413226, -.299699045, -.258445419]],
}


def parameters(kind, config):
    with torch.device('meta'):
        return sum(p.numel() for p in kind(config).parameters())


def unet_state(module): return reference.part(module.state_dict(), 'unet')


def inputs(height, width, rows, pooled=False):
    random = torch.Generator().manual_seed(height * width + rows)
    condition = torch.randn(rows, ROWS, WIDTH, generator=random, dtype=torch.float64)
    told = torch.randn(rows, POOLED, generator=random, dtype=torch.float64)
    return {'latents': torch.randn(rows, 4, height, width, generator=random, dtype=torch.float64),
            'timestep': torch.tensor([961., 1., 481.], dtype=torch.float64)[:rows], 'condition': condition,
            **({'pooled': told} if pooled else {'conditional': torch.tensor([1., 0., 1.], dtype=torch.float64)[:rows]})}


class Case(unittest.TestCase):
    def folder(self, *widths, **options):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        make_pixel_decoder(temporary.name, *widths, **options)
        return Path(temporary.name)

    def assert_close(self, got, expected, limit=1e-9):
        self.assertEqual(got.shape, expected.shape)
        self.assertLess(float((got - expected).abs().max() / expected.abs().max()), limit)


class Numbers(Case):
    def test_parameter_counts_are_those_of_the_published_networks(self):
        self.assertEqual(parameters(Unet, unet_config(SD15)), 859_520_964)
        self.assertEqual(parameters(Unet, unet_config(SDXL)), 2_567_463_684)
        # The published autoencoder has 83,653,863: this decoder, 34,163,592 in the encoder, 72 in its last convolution.
        self.assertEqual(parameters(AutoencoderDecoder, autoencoder_config(VAE)), 83_653_863 - 34_163_592 - 72)

    def test_timestep_embedding_has_cosines_first_and_no_shift(self):
        got = sinusoids(torch.tensor([961.], dtype=torch.float64), 320)[0]
        for place, expected in ((0, math.cos(961)), (159, math.cos(961 / 10000 ** (159 / 160))), (160, math.sin(961))):
            self.assertAlmostEqual(float(got[place]), expected, places=9)

    @torch.no_grad()
    def test_lowres_denoiser_follows_the_formulas(self):
        folder = self.folder(WIDTH, layers=2)
        (module, *_), _ = open_pixel_decoder(folder, ROWS, torch.float64)
        config, w, stored = read_json(folder / 'unet/config.json'), unet_state(module), module.unconditional[0]
        for size in ((8, 8), (12, 16), (9, 14)):
            x = inputs(*size, rows=3)
            condition, mask = x['condition'].clone(), torch.ones(3, ROWS, dtype=torch.float64)
            condition[1], mask[1] = 0, 0
            condition[1, :len(stored)], mask[1, :len(stored)] = stored, 1
            self.assert_close(module(**x), reference.unet(w, config, x['latents'], x['timestep'], condition, mask))

    @torch.no_grad()
    def test_highres_denoiser_follows_the_formulas_and_is_told_the_size_of_the_picture(self):
        folder = self.folder(WIDTH, POOLED, layers=2)
        (module, *_), _ = open_pixel_decoder(folder, ROWS, torch.float64)
        config, w = read_json(folder / 'unet/config.json'), unet_state(module)
        for height, width in ((8, 8), (12, 16)):
            x, size = inputs(height, width, rows=2, pooled=True), [8 * height, 8 * width]
            self.assert_close(module(**x), reference.unet(w, config, **x, time_ids=[*size, 0, 0, *size]))

    @torch.no_grad()
    def test_all_three_give_what_the_library_gives(self):
        lowres, autoencoder = (d[0] for d in open_pixel_decoder(self.folder(WIDTH, layers=2), ROWS, torch.float64))
        highres = open_pixel_decoder(self.folder(WIDTH, POOLED, layers=2), ROWS, torch.float64)[0][0]
        x, pooled = inputs(12, 16, rows=2), inputs(12, 16, rows=2, pooled=True)
        for name, got, place in (('lowres', lowres(**x), (5, 6)), ('highres', highres(**pooled), (5, 6)),
                                 ('autoencoder', autoencoder(x['latents']), (50, 60))):
            with self.subTest(name):
                got = torch.stack([got[0, :, *place], got[1, :, 0, 0]])
                self.assert_close(got, torch.tensor(LIBRARY[name], dtype=torch.float64), 1e-5)

    @torch.no_grad()
    def test_the_unconditional_branch_does_not_see_the_condition(self):
        (module, *_), _ = open_pixel_decoder(self.folder(WIDTH), ROWS, torch.float64)
        x = inputs(8, 8, rows=3)
        changed = (module(**x) - module(**{**x, 'condition': x['condition'] + 1})).abs().amax((1, 2, 3))
        self.assertEqual(float(changed[1]), 0)
        self.assertGreater(float(changed[[0, 2]].min()), 1e-3)

    @torch.no_grad()
    def test_autoencoder_decoder_follows_the_formulas(self):
        folder = self.folder(WIDTH, layers=2)
        _, (module, *_) = open_pixel_decoder(folder, ROWS, torch.float64)
        latents = torch.randn(2, 4, 5, 8, dtype=torch.float64)
        picture = module(latents)
        self.assertEqual(tuple(picture.shape), (2, 3, 40, 64))
        self.assert_close(picture, reference.autoencoder_decoder(module.state_dict(),
                                                                 read_json(folder / 'vae/config.json'), latents))

    @torch.no_grad()
    def test_old_names_of_the_autoencoder_s_attention_are_the_same_network(self):
        latents = torch.randn(1, 4, 4, 4)
        now, before = (open_pixel_decoder(self.folder(WIDTH, old_names=old), ROWS)[1][0](latents)
                       for old in (False, True))
        self.assertTrue(torch.equal(now, before))


class Layout(Case):
    def test_encoder_keys_are_known_and_others_are_left_to_be_refused(self):
        state = decoder_state(dict.fromkeys(['encoder.conv_in.weight', 'quant_conv.bias', 'post_quant_conv.bias',
                                             'decoder.mid_block.attentions.0.proj_attn.weight', 'loss.logvar']))
        self.assertEqual(list(state), ['post_quant_conv.bias', 'decoder.mid_block.attentions.0.to_out.0.weight',
                                       'loss.logvar'])

    def test_one_parameter_under_both_names_is_refused(self):
        keys = [f'decoder.mid_block.attentions.0.{name}.bias' for name in ('to_q', 'query')]
        self.assertRaisesRegex(ValueError, 'stored twice', decoder_state, dict.fromkeys(keys))

    def test_keys_are_strict_both_ways(self):
        folder = self.folder(WIDTH)
        file = folder / 'unet/diffusion_pytorch_model.bin'
        state = torch.load(file, weights_only=True)
        for changed in ({**state, 'lora.weight': torch.zeros(3)}, dict(list(state.items())[1:]),
                        {**state, 'conv_in.bias': torch.zeros(3)}):
            torch.save(changed, file)
            self.assertRaises(RuntimeError, open_pixel_decoder, folder, ROWS)

    def test_unconditional_rows_must_fit_the_condition(self):
        c, vae = unet_config({**LOWRES_UNET, 'cross_attention_dim': WIDTH}), autoencoder_config(AUTOENCODER)
        for shape in ((1, ROWS + 1, WIDTH), (1, 5, WIDTH - 1), (5, WIDTH)):
            self.assertRaisesRegex(ValueError, 'uncond_embeddings.bin', denoiser_of, c, vae, ROWS, shape)

    def test_options_without_effect_or_switched_off_are_accepted(self):
        same = {'sample_size': 64, 'upcast_attention': None, 'only_cross_attention': [False] * 3, 'freq_shift': 0,
                'class_embed_type': None, 'act_fn': 'silu', '_diffusers_version': '0.21.0'}
        self.assertEqual(unet_config({**LOWRES_UNET, **same}), unet_config(LOWRES_UNET))

    def test_options_that_change_the_network_are_refused(self):
        for changed in ({'flip_sin_to_cos': False}, {'class_embed_type': 'timestep'}, {'act_fn': 'gelu'},
                        {'num_attention_heads': 4}, {'mid_block_type': None}, {'addition_embed_type': 'text'},
                        {'up_block_types': ['CrossAttnUpBlock2D'] * 3}, {'attention_head_dim': [4, 4]},
                        {'layers_per_block': '2'}, {'norm_num_groups': 0}, {'down_block_types': None},
                        {'norm_eps': float('inf')}, {'attention_head_dim': [2, 0, 2]}):
            with self.subTest(changed), self.assertRaisesRegex(ValueError, 'unet/config.json'):
                unet_config({**LOWRES_UNET, **changed})
        with self.assertRaisesRegex(ValueError, 'vae/config.json: latents_mean'):
            autoencoder_config({**AUTOENCODER, 'latents_mean': [.1] * 4})
        for scaling_factor in (0, '0.18', None):
            with self.assertRaisesRegex(ValueError, 'vae/config.json: scaling_factor'):
                autoencoder_config({**AUTOENCODER, 'scaling_factor': scaling_factor})


class ManifestPart(Case):
    def test_it_holds_sizes_scale_and_schedule(self):
        self.assertEqual(manifest_part_of(self.folder(WIDTH)), {
            'sizes': ['512x512'], 'latent_channels': 4, 'latent_scale': 8, 'scaling_factor': 0.18215, 'max_steps': 100,
            'schedule': {'kind': 'ddim', 'train_steps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012,
                         'steps_offset': 1, 'set_alpha_to_one': False}})
        highres = manifest_part_of(self.folder(WIDTH, POOLED))
        self.assertEqual((highres['sizes'][:2], highres['scaling_factor']), (['1024x1024', '1152x896'], 0.13025))

    def test_a_schedule_that_the_server_does_not_have_is_refused(self):
        for changed in ({'prediction_type': 'v_prediction'}, {'timestep_spacing': 'trailing'},
                        {'beta_schedule': 'linear'}, {'clip_sample': True}, {'num_train_timesteps': 0},
                        {'beta_end': None}, {'steps_offset': -1}, {'set_alpha_to_one': 'no'}):
            with self.subTest(changed), self.assertRaisesRegex(ValueError, 'scheduler_config.json'):
                noise_schedule({**SCHEDULER, **changed})


if __name__ == '__main__':
    unittest.main()
