"""Modules without weights, and the tensors of a checkpoint that belong into them."""
import re

import torch

from .errors import CheckpointError

PLACEHOLDER_FROM = 1 << 20  # elements; smaller tensors are read at once


def without_weights(build):
    """What `build` returns, made without memory for its tensors."""
    with torch.device('meta'):
        return build()


def attach(module, state, unused=None):
    """Gives a module made by `without_weights` the tensors of `state` (key -> Stored): small ones are read, large ones
    become placeholders that nobody may look at. Returns parameter -> Stored. Every key must be there and have the right
    shape, and none more but those that match `unused`."""
    expected = module.state_dict()
    label = ', '.join(dict.fromkeys(stored.file.label for stored in state.values()))
    for key, tensor in expected.items():
        if key not in state:
            raise CheckpointError(f'{label}: key {key} is missing')
        if state[key].shape != tuple(tensor.shape):
            raise CheckpointError(f'{state[key].file.label}: {key} has shape {list(state[key].shape)}, '
                                  f'expected {list(tensor.shape)}')
    for key, stored in state.items():
        if key not in expected and not (unused and re.fullmatch(unused, key)):
            raise CheckpointError(f'{stored.file.label}: unexpected key {key}')
    module.load_state_dict({k: tensor_for(state[k]) for k in expected}, assign=True)
    return {parameter: state[name] for name, parameter in module.named_parameters()}


def tensor_for(stored):
    if stored.size >= PLACEHOLDER_FROM:
        return torch.empty(stored.shape)  # address space only: its pages are never touched
    return stored.read().float().clone()
