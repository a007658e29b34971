"""Export of the official pixel decoders: `python -m unittest tests.test_stable_diffusion_export`, from models/.
Minutes, not seconds: the exporter reasons about every shape."""
import tempfile
import unittest
import warnings
from pathlib import Path

import onnxruntime
import torch

from importer.stable_diffusion.random_checkpoint import make_pixel_decoder, open_pixel_decoder

ROWS, TOLERANCE = 9, 1e-4


def exported(definition):
    module, example, outputs, dynamic = definition
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(module, kwargs=example, dynamic_shapes=dynamic, dynamo=True, optimize=True,
                                    input_names=list(example), output_names=outputs, opset_version=20, verbose=False)
    return onnxruntime.InferenceSession(program.model_proto.SerializeToString(), providers=['CPUExecutionProvider'])


def drawn(example, rows, height, width):
    """Other inputs of the kinds in `example`."""
    values = {name: torch.randn(rows, *(t.shape[1:2] if name == 'latents' else t.shape[1:]),
                                *((height, width) if name == 'latents' else ())) for name, t in example.items()}
    return {**values, **{name: torch.tensor(values_of)[:rows] for name, values_of in
                         (('timestep', [1., 961., 481.]), ('conditional', [0., 1., 0.])) if name in example}}


class Export(unittest.TestCase):
    def check(self, definition, scale):
        module, example, (output,), _ = definition
        session = exported(definition)
        self.assertEqual([i.name for i in session.get_inputs()], list(example))
        for rows in (1, 3):
            for height, width in ((8, 8), (12, 20)):
                x = drawn(example, rows, height, width)
                with torch.no_grad():
                    expected = module(**x)
                got = torch.from_numpy(session.run([output], {name: t.numpy() for name, t in x.items()})[0])
                self.assertEqual(got.shape[2:], (height * scale, width * scale))
                self.assertLess(float((got - expected).abs().max() / expected.abs().max()), TOLERANCE)

    def opened(self, *widths):
        with tempfile.TemporaryDirectory() as folder:
            make_pixel_decoder(folder, *widths)
            return open_pixel_decoder(Path(folder), ROWS)

    def test_lowres_graphs_give_what_the_modules_give_at_every_size(self):
        denoiser, autoencoder = self.opened(48)
        self.check(denoiser, 1)
        self.check(autoencoder, 8)

    def test_highres_denoiser_gives_what_the_module_gives_at_every_size(self):
        self.check(self.opened(128, 80)[0], 1)


if __name__ == '__main__':
    unittest.main()
