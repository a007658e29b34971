"""Weight files of a checkpoint, one tensor at a time: PyTorch archives (weights only, mapped into memory) and
safetensors, single or in shards with an index. Nothing is read before it is asked for."""
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from .errors import CheckpointError
from .impostors import refuse_impostor

FLOATS = (torch.float16, torch.bfloat16, torch.float32)
MAPPED_AT_ONCE = 1 << 30  # bytes read from a mapped file before it is mapped afresh, so that its pages are given back


@dataclass(frozen=True)
class Stored:
    """A tensor that stays in its file until it is read."""
    file: 'WeightFile'
    key: str
    shape: tuple
    dtype: torch.dtype

    @property
    def size(self): return torch.Size(self.shape).numel()

    def read(self): return self.file.read(self.key)


class WeightFile:
    """One `.bin` or `.safetensors` file; `label` is its path inside the checkpoint. One file at a time stays open."""

    opened = None

    def __init__(self, path, label):
        self.path, self.label, self.archive, self.mapped = path, label, None, 0
        refuse_impostor(path, label)
        self.tensors = {key: Stored(self, key, *self.form(key)) for key in self.open().keys()}
        if not self.tensors:
            raise CheckpointError(f'{label}: holds no tensors')
        for stored in self.tensors.values():
            if stored.dtype not in FLOATS:
                raise CheckpointError(f'{label}: {stored.key} holds {stored.dtype}; half, bfloat16 and '
                                      'single precision are read')
        self.close()

    def open(self):
        if self.archive is None:
            if WeightFile.opened is not None:
                WeightFile.opened.close()
            WeightFile.opened = self
            self.archive = opened(self.path, self.label)
        return self.archive

    def form(self, key):
        if isinstance(self.archive, dict):
            return tuple(self.archive[key].shape), self.archive[key].dtype
        part = self.archive.get_slice(key)
        return tuple(part.get_shape()), {'F16': torch.float16, 'BF16': torch.bfloat16, 'F32': torch.float32}.get(
            part.get_dtype(), part.get_dtype())

    def close(self): self.archive, self.mapped = None, 0

    def read(self, key):
        stored = self.tensors[key]
        if self.mapped > MAPPED_AT_ONCE:
            self.close()
        archive = self.open()
        self.mapped += stored.size * stored.dtype.itemsize
        tensor = archive[key] if isinstance(archive, dict) else archive.get_tensor(key)
        if not tensor.isfinite().all():
            raise CheckpointError(f'{self.label}: {key} holds {odd_values(tensor)}')
        return tensor


def opened(path, label):
    """A weight file as key -> tensor, or as safetensors gives it; what it is, its content tells and not its name."""
    try:
        if begins_like_safetensors(path):
            return safe_open(path, framework='pt')
        return tensors_of(torch.load(path, map_location='cpu', weights_only=True, mmap=zipfile.is_zipfile(path)), label)
    except CheckpointError:
        raise
    except SafetensorError as error:
        raise CheckpointError(f'{label}: not a readable safetensors file, perhaps truncated') from error
    except Exception as error:
        if forbidden := re.search(r'GLOBAL ([\w.]+)', str(error)):
            raise CheckpointError(f'{label}: holds Python objects ({forbidden[1]}) besides tensors; such files can run '
                                  'code and are not read') from error
        raise CheckpointError(f'{label}: not a readable PyTorch file, perhaps truncated') from error


def begins_like_safetensors(path):
    with open(path, 'rb') as file:
        return file.read(10)[8:9] == b'{'


def tensors_of(loaded, label):
    """What `torch.load` gave, if it is a tensor or a dictionary of them."""
    if isinstance(loaded, torch.Tensor):
        return {'tensor': loaded}
    if not isinstance(loaded, dict):
        raise CheckpointError(f'{label}: holds a {type(loaded).__name__}, not a dictionary of tensors')
    for key, value in loaded.items():
        if isinstance(value, dict) and any(isinstance(part, torch.Tensor) for part in value.values()):
            raise CheckpointError(f'{label}: its weights are wrapped in {key!r}; save that dictionary alone')
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise CheckpointError(f'{label}: {key} is a {type(value).__name__}, not a tensor')
        if value.layout != torch.strided:
            raise CheckpointError(f'{label}: {key} is a sparse tensor')
    return dict(loaded)


def odd_values(tensor):
    return 'NaN values' if tensor.isnan().any() else 'infinite values'


def find(folder, *names):
    """The first of the named files that is there."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(f'{folder.name}/{names[0]}: missing')


def read_json(path):
    """A JSON file that holds an object."""
    label = f'{path.parent.name}/{path.name}'
    if not path.is_file():
        raise CheckpointError(f'{label}: missing')
    content = path.read_bytes()
    if not content.lstrip().startswith(b'{'):
        refuse_impostor(path, label)
    try:
        found = json.loads(content)
    except ValueError as error:
        raise CheckpointError(f'{label}: not JSON ({error})') from error
    if not isinstance(found, dict):
        raise CheckpointError(f'{label}: not a JSON object')
    return found


def open_single(folder, stem):
    """`stem.bin`, else `stem.safetensors` -> key -> Stored."""
    path = find(folder, f'{stem}.bin', f'{stem}.safetensors')
    return WeightFile(path, f'{folder.name}/{path.name}').tensors


def open_sharded(folder, *stems):
    """A model in one file or in shards with an index -> key -> Stored. Index and shards must agree."""
    path = find(folder, *(name for stem in stems for name in (
        f'{stem}.bin.index.json', f'{stem}.bin', f'{stem}.safetensors.index.json', f'{stem}.safetensors')))
    if path.suffix != '.json':
        return WeightFile(path, f'{folder.name}/{path.name}').tensors
    listed = read_json(path).get('weight_map')
    if not isinstance(listed, dict) or not listed or not all(isinstance(name, str) for name in listed.values()):
        raise CheckpointError(f'{folder.name}/{path.name}: no weight_map')
    everything = {}
    for name in sorted(set(listed.values())):
        if Path(name).name != name or not (folder / name).is_file():
            raise CheckpointError(f'{folder.name}/{name}: missing, though {path.name} lists it')
        shard = WeightFile(folder / name, f'{folder.name}/{name}').tensors
        for key in shard.keys() - {k for k, file in listed.items() if file == name}:
            raise CheckpointError(f'{folder.name}/{name}: unexpected key {key}, which {path.name} does not list there')
        everything |= shard
    for key in listed.keys() - everything.keys():
        raise CheckpointError(f'{folder.name}/{listed[key]}: key {key} is missing, though {path.name} lists it')
    return everything


def source_files(*states):
    """The files that the tensors of some states lie in, in order of first appearance."""
    return list({stored.file.path: stored.file for state in states for stored in state.values()}.values())
