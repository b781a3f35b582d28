"""Splicing: each frame with its neighbours, the input of a DNN."""

import torch
from torch import Tensor


def splice(features: Tensor, context: int) -> Tensor:
    """Joins each frame with `context` frames on either side, oldest first: [B, T, D] -> [B, T, (2 * context + 1) * D].

    The first and last frame are repeated beyond the edges; padding counts as a neighbour.

    >>> splice(torch.zeros(1, 98, 40), context=5).shape
    torch.Size([1, 98, 440])
    """
    if context == 0 or features.shape[1] == 0:
        return features
    batch, frames, dim = features.shape
    first, last = (features[:, edge, None].expand(-1, context, -1) for edge in (0, -1))
    padded = torch.cat([first, features, last], dim=1)
    windows = padded.unfold(1, 2 * context + 1, 1)
    return windows.transpose(2, 3).reshape(batch, frames, (2 * context + 1) * dim)
