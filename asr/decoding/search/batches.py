"""Batches of utterances for the exact search on a device."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pad_sequence

from asr.batches import padded_batches
from asr.decoding.search.batch_viterbi import BatchViterbi, Weights
from asr.decoding.search.path import BestPath, Phones, phones_of

BATCH_BYTES = 1 << 30
"""Memory on the device for a batch; an utterance that needs more on its own is a batch of one."""

Scores = npt.NDArray[np.float32]
Item = TypeVar("Item")


def batch_paths(
    items: Iterable[tuple[Item, Scores]], viterbi: BatchViterbi, weights: Weights, batch_bytes: int = BATCH_BYTES
) -> Iterator[tuple[Item, BestPath]]:
    """Each item with the exact best path of its log scores [T, C], in order; one batch is in memory.

    Raises InputError and ValueError as `BatchViterbi.best_paths`.
    """
    for batch in padded_batches(items, lambda item: len(item[1]) + 1, batch_bytes // viterbi.frame_bytes):
        yield from _decoded(batch, viterbi, weights)


def batch_phones(
    scores: Sequence[Scores], viterbi: BatchViterbi, weights: Sequence[Weights], batch_bytes: int = BATCH_BYTES
) -> list[list[Phones]]:
    """The phones of the exact best path of each utterance's log scores [T, C] with each of the weights, [B][W].

    All utterances are searched together, with as many of the weights at a time as fit. Raises as `batch_paths`.
    """
    padded = pad_sequence([torch.from_numpy(each) for each in scores], batch_first=True)
    lengths = list(map(len, scores))
    at_once = max(1, batch_bytes // (len(scores) * (padded.shape[1] + 1) * viterbi.frame_bytes))
    found: list[list[Phones]] = [[] for _ in scores]
    for first in range(0, len(weights), at_once):
        paths = viterbi.best_paths(padded, lengths, weights[first : first + at_once])
        for phones, of_utterance in zip(found, paths, strict=True):
            phones += map(phones_of, of_utterance)
    return found


def _decoded(
    waiting: list[tuple[Item, Scores]], viterbi: BatchViterbi, weights: Weights
) -> Iterator[tuple[Item, BestPath]]:
    padded = pad_sequence([torch.from_numpy(scores) for _, scores in waiting], batch_first=True)
    found = viterbi.best_paths(padded, [len(scores) for _, scores in waiting], [weights])
    for (item, _), (path,) in zip(waiting, found, strict=True):
        yield item, path
