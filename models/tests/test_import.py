"""Imported packages compute what the checkpoint's weights say. From models/: `python -m unittest
tests.test_import`."""
import hashlib
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import sentencepiece
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from importer import to_package
from importer.check_parity import Row, check, decoded, language_graphs
from importer.errors import CheckpointError
from importer.make_checkpoint import make
from importer.memory import table
from importer.quantise import BLOCK, quantise
from importer.stable_diffusion.random_checkpoint import make_pixel_decoder, open_pixel_decoder
from importer.stream import DataFiles, add, is_streamed
from importer.to_package import import_checkpoint, require_room
from importer.tokenizer import convert

FIXTURES = Path(__file__).parents[2] / 'test/fixtures'


class Golden(unittest.TestCase):
    def test_every_stage_is_that_of_the_official_modules(self):
        for stage, value in check(FIXTURES / 'lavit-golden', FIXTURES / 'lavit-golden-io.safetensors').items():
            with self.subTest(stage):
                self.assertTrue(value if isinstance(value, bool) else value < 1e-4, value)

    def test_the_lowres_decoder_is_that_of_the_official_modules(self):
        found = decoded(FIXTURES / 'lavit-golden-lowres', load_file(FIXTURES / 'lavit-golden-io.safetensors'))
        self.assertLess(found['tokenizer_decoder: lowres condition'], 1e-4)


    def test_the_pixel_decoder_is_that_of_its_checkpoint(self):
        """The random one that `importer.golden` gave it."""
        with tempfile.TemporaryDirectory() as folder:
            make_pixel_decoder(folder, 128, 80)
            graphs = open_pixel_decoder(Path(folder), patches=64)
        for name, (module, example, _, _) in zip(('denoiser', 'autoencoder_decoder'), graphs):
            for parameter in module.parameters():
                if is_streamed(parameter):
                    parameter.data = parameter.data.half().float()
            with torch.no_grad():
                expected = module(**example).numpy()
            session = onnxruntime.InferenceSession(str(FIXTURES / f'lavit-golden/{name}.onnx'))
            got, = session.run(None, {k: v.numpy() for k, v in example.items()})
            self.assertLess(np.abs(got - expected).max() / np.abs(expected).max(), 1e-4, name)


class Imported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        make(folder / 'checkpoint')
        for precision in ('fp16', 'int8'):
            import_checkpoint(folder / 'checkpoint', folder / precision, precision, quiet=True)
        cls.folder = folder

    def manifest(self, precision='fp16'): return json.loads((self.folder / precision / 'manifest.json').read_text())

    def test_the_manifest_names_every_file_and_its_digest(self):
        manifest = self.manifest()
        entries = [manifest['tokenizer'], *(e for g in manifest['graphs'].values()
                                            for e in (g, *g['data'], *([g['device']] if 'device' in g else [])))]
        self.assertEqual({e['file'] for e in entries} | {'manifest.json'},
                         {p.name for p in (self.folder / 'fp16').iterdir()})
        for e in entries:
            content = (self.folder / 'fp16' / e['file']).read_bytes()
            self.assertEqual((hashlib.sha256(content).hexdigest(), len(content)), (e['sha256'], e['bytes']))

    def test_the_manifest_tells_the_sources_and_the_official_defaults(self):
        manifest = self.manifest()
        source = next(s for s in manifest['provenance']['sources'] if s['file'] == 'language_model/visual_weight.bin')
        content = (self.folder / 'checkpoint/language_model/visual_weight.bin').read_bytes()
        self.assertEqual((hashlib.sha256(content).hexdigest(), len(content)), (source['sha256'], source['bytes']))
        self.assertEqual(manifest['ids'], {'end': 2, 'image_start': 32000, 'image_end': 32001, 'visual_offset': 32002})
        self.assertEqual(manifest['visual_tokenizer']['selection'], 'sample')
        self.assertEqual(manifest['tasks']['vqa']['num_beams'], 5)
        self.assertNotIn('pixel_decoder', manifest)
        self.assertEqual(manifest['provenance']['licences_of_the_official_weights'],
                         ['LaVIT Community License (17 October 2023)', 'Llama 2 Community License'])
        self.assertNotIn('tokenizer_decoder', manifest['graphs'])

    def test_the_licence_of_a_pixel_decoder_stands_beside_the_others(self):
        for kind, licence in (('lowres', 'CreativeML Open RAIL-M '), ('highres', 'CreativeML Open RAIL++-M ')):
            with mock.patch.object(to_package, 'write_graphs', return_value={}):
                import_checkpoint(self.folder / 'checkpoint', self.folder / kind, pixel_decoder=kind, quiet=True)
            *others, painting = self.manifest(kind)['provenance']['licences_of_the_official_weights']
            self.assertEqual(len(others), 2)
            self.assertTrue(painting.startswith(licence), painting)

    def test_eight_bit_layers_stay_close_to_the_language_model(self):
        ids, logits = np.arange(100, 140), {}
        for precision in ('fp16', 'int8'):
            graphs = language_graphs(self.folder / precision)
            found = Row(graphs, self.manifest(precision)['language_model']).read(ids)
            logits[precision] = found - found.mean()
        exact, rounded = logits['fp16'], logits['int8']
        self.assertFalse(np.array_equal(exact, rounded))
        self.assertLess(np.linalg.norm(exact - rounded) / np.linalg.norm(exact), .03)

    def test_visual_parts_are_the_same_at_every_precision(self):
        for name in ('vision', 'merger_codes', 'merger_embeddings'):
            self.assertEqual(*(self.manifest(p)['graphs'][name]['data'] for p in ('fp16', 'int8')))

    def test_no_weight_file_is_larger_than_two_gigabytes_whatever_it_holds(self):
        files = DataFiles(self.folder, 'split', largest=10_000)
        places = [files.add(str(i), torch.full((1500,), float(i))) for i in range(5)]
        files.close()
        entries = files.entries
        self.assertEqual([e['bytes'] <= 10_000 for e in entries], [True] * 5)
        self.assertEqual(len({{d.key: d.value for d in p.external_data}['location'] for p in places}), 5)

    def test_texts_get_the_ids_of_sentencepiece(self):
        path = self.folder / 'checkpoint/language_model/tokenizer.model'
        theirs, ours = sentencepiece.SentencePieceProcessor(str(path)), Tokenizer.from_str(json.dumps(convert(path)))
        for text in ('two dogs and a ship', ' a  b ', 'Question: what is it? Answer:', '1234', 'naïve 日本 🙂\n\ttab',
                     '▁', ''):
            ids = theirs.encode(text)
            self.assertEqual(ours.encode(text, add_special_tokens=False).ids, ids, text)
            self.assertEqual(ours.decode(ids), theirs.decode(ids), text)

    def test_a_tokenizer_of_another_model_is_refused(self):
        pieces = {'model': {'vocab': {f'piece {i}': i for i in range(32_016)}}}
        require_room(pieces, 32_016)
        with self.assertRaisesRegex(CheckpointError, '32016 pieces, the language model 32000 text ids'):
            require_room(pieces, 32_000)


class ForGpu(unittest.TestCase):
    """Weights that stay as they are stored, against those of the same checkpoint that are widened."""

    GAPS = {'gpu-fp16': 2e-3, 'gpu-int4': .3}  # of the logits of random weights, which round worse than trained ones

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        make(cls.folder / 'checkpoint')
        import_checkpoint(cls.folder / 'checkpoint', cls.folder / 'fp16', quiet=True)
        for name in cls.GAPS:
            import_checkpoint(cls.folder / 'checkpoint', cls.folder / name, name[4:], device='webgpu', quiet=True)

    def manifest(self, package): return json.loads((self.folder / package / 'manifest.json').read_text())

    def graph(self, package, name):
        return onnx.load(self.folder / package / f'{name}.onnx', load_external_data=False).graph

    def gap(self, package, name, feeds):
        exact, found = (onnxruntime.InferenceSession(str(self.folder / p / f'{name}.onnx')).run(None, feeds)[0]
                        for p in ('fp16', package))
        return float(np.linalg.norm(exact - found) / np.linalg.norm(exact))

    def test_what_is_computed_is_near(self):
        """The processor multiplies what is in half precision in single."""
        sizes = self.manifest('fp16')
        pixels = np.random.default_rng(0).integers(0, 256, (2, 3, *2 * [sizes['image']['size']]), np.uint8)
        shape = (2, sizes['image']['grid']['rows'] ** 2, sizes['visual_tokenizer']['feature_dim'])
        kept = {'features': np.random.default_rng(0).normal(size=shape).astype(np.float32),
                'places': np.array([[0, 3, 5], [1, 2, 9]])}
        logits = {p: Row(language_graphs(self.folder / p), sizes['language_model']).read(np.arange(100, 140))
                  for p in ('fp16', *self.GAPS)}
        exact = logits['fp16'] - logits['fp16'].mean()
        for package, most in self.GAPS.items():
            with self.subTest(package):
                found = logits[package] - logits[package].mean()
                self.assertLess(np.linalg.norm(exact - found) / np.linalg.norm(exact), most)
                self.assertLess(self.gap(package, 'vision', {'pixels': pixels}), .02)
                self.assertLess(self.gap(package, 'merger_embeddings', kept), .02)
                self.assertEqual(self.gap(package, 'token_predictor', {'x': kept['features']}), 0)

    def test_every_large_matrix_is_taken_as_it_is_stored(self):
        takers = {'gpu-fp16': {'MatMul', 'Gather'}, 'gpu-int4': {'MatMulNBits', 'GatherBlockQuantized'}}
        for package, kinds in takers.items():
            graph = self.graph(package, 'language_model')
            large = {i.name for i in graph.initializer if len(i.dims) > 1 and np.prod(i.dims) >= 1000}
            self.assertEqual({node.op_type for node in graph.node if large & set(node.input)}, kinds)
            for node in graph.node:
                levels = [a.i for a in node.attribute if a.name == 'accuracy_level']
                self.assertIn(levels, ([], [0]), 'activations are not rounded')

    def test_quantised_graphs_need_no_half_precision_of_the_device(self):
        for name in self.manifest('gpu-int4')['graphs']:
            graph = self.graph('gpu-int4', name)
            half = {i.name for i in graph.initializer if i.data_type == TensorProto.FLOAT16}
            takers = {node.op_type for node in graph.node if half & set(node.input)}
            self.assertLessEqual(takers, {'Cast'}, name)  # of constants, which the runtime folds

    def test_rows_in_half_precision_are_named_where_nothing_else_is(self):
        graphs = {package: self.manifest(package)['graphs'] for package in ('fp16', *self.GAPS)}
        names = graphs['fp16']['language_model']['half_nodes']
        nodes = {node.name: node.op_type for node in self.graph('fp16', 'language_model').node}
        self.assertEqual([nodes[name] for name in names], ['Gather', 'Cast'])
        self.assertEqual([name for name in graphs['fp16'] if 'half_nodes' in graphs['fp16'][name]], ['language_model'])
        for package in self.GAPS:
            self.assertFalse([name for name, graph in graphs[package].items() if 'half_nodes' in graph], package)

    def test_the_weights_are_as_many_bytes_as_promised(self):
        half, small = (sum(file['bytes'] for file in self.manifest(p)['graphs']['language_model']['data'])
                       for p in self.GAPS)
        sizes = self.manifest('fp16')['language_model']
        table = sizes['vocabulary_size'] * sizes['hidden_size']  # nearly all of this small model
        self.assertLess(abs(half / table - 2), .2)
        self.assertLess(small / half, .75)  # of rows of 48, which are not blocks of 32
        self.assertEqual(self.manifest('gpu-int4')['provenance']['device'], 'webgpu')

    def test_the_table_of_memory_tells_what_lies_on_disk(self):
        for package, name in (('gpu-fp16', 'fp16'), ('gpu-int4', 'int4')):
            size = sum(path.stat().st_size for path in (self.folder / package).glob('*.data')) / 1e6
            row, = table(self.folder / package)[4:]
            precision, disk, *parts, together = row.strip('| ').split(' | ')
            self.assertEqual((precision, disk, together), (name, f'{size:.1f}', f'{size:.1f}'))
            self.assertAlmostEqual(sum(map(float, parts)), size, delta=.2)


class Weights(unittest.TestCase):
    def placed(self, name, tensor, of='g'):
        with tempfile.TemporaryDirectory() as folder:
            graph, files = helper.make_graph([], of, [], []), DataFiles(Path(folder), of)
            add(graph, {name: []}, name, tensor, files, half=True)
            files.close()
        return graph.initializer[0].data_type

    def test_half_precision_wherever_it_does_not_change_a_code_or_overflow(self):
        third = torch.full((16, 16), 1 / 3)
        self.assertEqual(self.placed('mlp.fc1.weight', third), TensorProto.FLOAT16)
        self.assertEqual(self.placed('mlp.fc1.weight', third.bfloat16()), TensorProto.FLOAT16)
        self.assertEqual(self.placed('mlp.fc1.weight', third * 1e6), TensorProto.FLOAT)
        self.assertEqual(self.placed('tokenizer.quantize.embedding.weight', third), TensorProto.FLOAT)
        self.assertEqual(self.placed('out_conv.0.weight', third, of='token_predictor'), TensorProto.FLOAT)
        self.assertEqual(self.placed('tokenizer.quantize.embedding.weight', third.half()), TensorProto.FLOAT16)

    def test_the_runtime_reads_the_quantised_layout(self):
        for bits, most in ((4, 1 / 15), (8, 1 / 255)):
            for out, inputs in ((7, 48), (64, 64), (33, 160)):
                weight = torch.randn(out, inputs) + .3
                got = self.multiply(np.eye(inputs, dtype=np.float32), quantise(weight, bits), bits, out, inputs)
                blocks = torch.nn.functional.pad(weight, (0, -inputs % BLOCK)).unflatten(1, (-1, BLOCK))
                step = (blocks.amax(-1).clamp(min=0) - blocks.amin(-1).clamp(max=0)) * most
                bound = step.repeat_interleave(BLOCK, 1)[:, :inputs] * 1.01
                self.assertTrue(bool(((torch.from_numpy(got).T - weight).abs() <= bound).all()), (bits, out, inputs))

    def multiply(self, x, parts, bits, out, inputs):
        node = helper.make_node('MatMulNBits', ['x', 'b', 's', 'z'], ['y'], domain='com.microsoft', K=inputs, N=out,
                                bits=bits, block_size=BLOCK)
        graph = helper.make_graph(
            [node], 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)],
            [numpy_helper.from_array(part.numpy(), name) for name, part in zip('bsz', parts)])
        model = helper.make_model(graph, ir_version=10, opset_imports=[
            helper.make_opsetid('', 20), helper.make_opsetid('com.microsoft', 1)])
        return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {'x': x})[0]


if __name__ == '__main__':
    unittest.main()
