"""How the package holds its weights: matrices in 8 bits with a scale for each row, everything else as fp16.

Rounding happens before export, so that PyTorch and the graphs compute with the very same numbers.
"""
import numpy as np
import torch

from networks.model import PARTS

MATRIX_FROM = 4096  # smaller ones stay in half precision
MOST = 127


def round_weights(model, bits=8):
    """The weights as a package of 8 or 16 bits holds them, in fp32."""
    with torch.no_grad():
        for module in (getattr(model, part) for part in PARTS if getattr(model, part) is not None):
            for value in module.state_dict().values():
                if value.is_floating_point():
                    value.copy_(value.half().float())
            if bits == 8:
                for matrix in filter(is_matrix, module.parameters()):
                    matrix.copy_(torch.from_numpy(as_bytes(*to_bytes(matrix.numpy(), 0))))
    return model


def is_matrix(parameter): return parameter.ndim in (2, 4) and parameter.numel() >= MATRIX_FROM


def to_bytes(values, axis):
    """float32 -> int8 of the same shape, and one scale for each index of `axis`, which fp16 holds: 127 times a scale
    and its 127th part are then exact."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = (np.abs(values).max(others, keepdims=True) / MOST).astype(np.float16).astype(np.float32)
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.clip(np.round(values / scale), -MOST, MOST).astype(np.int8), scale


def as_bytes(whole, scale): return whole.astype(np.float32) * scale


def exact_bytes(values):
    """What `to_bytes` gives if it loses nothing along one of the first two axes, else None."""
    if values.ndim < 2 or values.size < MATRIX_FROM:
        return None
    for axis in (0, 1):
        whole, scale = to_bytes(values, axis)
        if np.array_equal(as_bytes(whole, scale), values):
            return whole, scale
    return None
