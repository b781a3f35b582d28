"""A minibatch: what one step of training learns from."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from asr.phones.classes import UNLABELLED


@dataclass(frozen=True)
class Batch:
    """Windows [B, 2 * context + 1, D] about single frames, with labels [B] and no lengths; or utterances [B, T, D],
    padded after lengths [B], with labels of their frames [B, T] or their phones [B, U] (UNLABELLED in the padding), and
    for a model with a `timing` output the labels [B, T] of that.

    Where several processes share a minibatch, this is the share of one; `of` counts the windows or utterances of all.
    """

    inputs: Tensor
    labels: Tensor
    lengths: Tensor | None = None
    timing: Tensor | None = None
    of: int | None = None

    def staged(self, device: torch.device) -> "Batch":
        """In memory that a CUDA device can copy from without waiting."""
        return self._map(Tensor.pin_memory) if device.type == "cuda" else self

    def to(self, device: torch.device) -> "Batch":
        return self if self.inputs.device == device else self._map(lambda tensor: tensor.to(device, non_blocking=True))

    @property
    def shape(self) -> tuple[object, ...]:
        return self.inputs.shape, self.labels.shape, self.lengths is None, self.timing is None, self.of

    def gathered(self) -> "Batch":
        return self

    def clone(self) -> "Batch":
        return self._map(Tensor.clone)

    def copy_(self, other: "Batch") -> None:
        self.inputs.copy_(other.inputs, non_blocking=True)
        self.labels.copy_(other.labels, non_blocking=True)
        if self.lengths is not None and other.lengths is not None:
            self.lengths.copy_(other.lengths, non_blocking=True)
        if self.timing is not None and other.timing is not None:
            self.timing.copy_(other.timing, non_blocking=True)

    def unlabelled(self) -> "Batch":
        """The same inputs without any label."""
        timing = None if self.timing is None else torch.full_like(self.timing, UNLABELLED)
        return replace(self, labels=torch.full_like(self.labels, UNLABELLED), timing=timing)

    def _map(self, change: "Change") -> "Batch":
        lengths, timing = (None if each is None else change(each) for each in (self.lengths, self.timing))
        return Batch(change(self.inputs), change(self.labels), lengths, timing, self.of)


class Change(Protocol):
    """A change of one tensor, such as a copy to a device."""

    def __call__(self, tensor: Tensor, /) -> Tensor: ...


class Minibatch(Protocol):
    """A minibatch, or what it is made from."""

    @property
    def shape(self) -> tuple[object, ...]:
        """The same for minibatches that can take each other's place in memory. What is the same to one process is so
        to all that share the minibatches."""

    def gathered(self) -> Batch:
        """The minibatch, without waiting for its device."""

    def clone(self) -> Self:
        """A copy in memory of its own."""

    def copy_(self, other: Self, /) -> None:
        """Takes the contents of another minibatch of the same shape."""
