"""Writes the parity fixtures of the tests: `python -m importer.golden FOLDER --out ../test/fixtures`.

FOLDER holds `checkpoint/`, a small invented model in the official layout, and `io.safetensors` with `io.json`: what the
official modules make of it, stage by stage. The fixtures are the imported package and the recorded stages that a
package can show. It has no pixel decoder, so it gets a small random one: `lavit-golden` is the highres package, and of
the lowres one `lavit-golden-lowres` holds the tokenizer decoder.
"""
import argparse
import json
import re
import shutil
import tempfile
from pathlib import Path

from safetensors.numpy import load_file, save_file

from .make_checkpoint import CONDITION
from .stable_diffusion.random_checkpoint import make_pixel_decoder
from .to_package import import_checkpoint

INSIDE = re.compile(  # of a part, where no graph ends
    r'image\.(pixel_values|detok.*)|encoder\.(patch_embed|embeddings|block.*)|predictor\.in_conv|merger\.(x_origin|block.*)'
    r'|quantizer\.(input|embeds|distances|token_ids.*)|(low|high)res\.(in_proj|x_pad|mask|block.*|norm|unet.*|cosine.*)'
    r'|caption\.hidden')


def trim(folder, out):
    recorded = {k: v for k, v in load_file(folder / 'io.safetensors').items() if not INSIDE.fullmatch(k)}
    save_file(recorded, out / 'lavit-golden-io.safetensors')
    (out / 'lavit-golden-io.safetensors').chmod(0o644)
    about = json.loads((folder / 'io.json').read_text())
    about['tensors'] = {k: v for k, v in about['tensors'].items() if k in recorded}
    (out / 'lavit-golden-io.json').write_text(json.dumps(about, indent=1, ensure_ascii=False) + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--out', type=Path, default='../test/fixtures')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / 'checkpoint'
        shutil.copytree(args.folder / 'checkpoint', checkpoint, copy_function=shutil.copyfile)
        for part in checkpoint.rglob('*'):
            part.chmod(0o755 if part.is_dir() else 0o644)
        lowres, *highres = CONDITION['tiny']
        make_pixel_decoder(checkpoint / 'pixel_decoding', lowres, uncond_rows=20)
        make_pixel_decoder(checkpoint / 'highres_pixel_decoding', sum(highres), highres[1])
        for name, kind, kept in (('lavit-golden', 'highres', '*'),
                                 ('lavit-golden-lowres', 'lowres', 'tokenizer_decoder.*')):
            import_checkpoint(checkpoint, Path(temporary) / name, pixel_decoder=kind)
            shutil.rmtree(args.out / name, ignore_errors=True)
            (args.out / name).mkdir()
            for file in (Path(temporary) / name).glob(kept):
                shutil.copyfile(file, args.out / name / file.name)
    trim(args.folder, args.out)


if __name__ == '__main__':
    main()
