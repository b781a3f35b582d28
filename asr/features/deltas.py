"""Time derivatives of features."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 2  # frames on each side that a derivative uses


def add_deltas(features: Tensor, order: int) -> Tensor:
    """Appends derivatives up to `order`: [..., T, D] -> [..., T, D * (1 + order)].

    Each order is the regression slope over two frames on either side of the order below it (The HTK Book, 2006, eq.
    5.16). Edges are as in Kaldi: the slopes of an order are convolved into one filter, applied with the end frames
    repeated.

    >>> add_deltas(torch.zeros(98, 13), order=2).shape
    torch.Size([98, 39])
    """
    frames, dim = features.shape[-2:]
    if frames == 0:
        return features.new_zeros(*features.shape[:-1], dim * (1 + order))
    rows = features.reshape(-1, 1, frames, dim)
    parts = [rows]
    for taps in _filters(order):
        reach = len(taps) // 2
        padded = functional.pad(rows, (0, 0, reach, reach), mode="replicate")
        if features.device.type == "cpu":
            parts.append(functional.conv2d(padded, torch.from_numpy(taps).to(rows)[None, None, :, None]))
        else:
            parts.append(filtered_by_sums(padded, taps))
    return torch.cat(parts, dim=-1).reshape(*features.shape[:-1], dim * (1 + order))


def filtered_by_sums(padded: Tensor, taps: np.ndarray) -> Tensor:
    """The products of a filter [N] with each N frames of rows [..., T + N - 1, D], summed in double precision:
    [..., T, D].

    For GPUs: a convolution is planned for each new shape, and may round its factors to TF32.
    """
    frames = padded.shape[-2] - len(taps) + 1
    total = padded.new_zeros(*padded.shape[:-2], frames, padded.shape[-1], dtype=torch.float64)
    for place, tap in enumerate(taps.tolist()):
        total.add_(padded[..., place : place + frames, :], alpha=tap)
    return total.to(padded.dtype)


def _filters(order: int) -> list[np.ndarray]:
    """The filters [4 * n + 1] of orders n = 1 to `order`."""
    slope = np.arange(-WINDOW, WINDOW + 1) / sum(2 * n * n for n in range(1, WINDOW + 1))
    filters = [np.ones(1)]
    for _ in range(order):
        filters.append(np.convolve(filters[-1], slope))
    return filters[1:]
