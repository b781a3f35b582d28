"""How minibatches are drawn: of single frames over the whole training set, or of whole utterances of similar length."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from asr.config import TrainingConfig
from asr.errors import InputError
from asr.models import AcousticModel
from asr.phones.classes import UNLABELLED
from asr.training.data.minibatch import Batch, Minibatch
from asr.training.data.speech import Speech
from asr.training.data.streams import AHEAD


class Batching(Protocol):
    """A way to draw minibatches from a split; `members` [B] are the numbers of what a minibatch is made from."""

    speech: Speech

    def plan(self, size: int, shuffled: bool) -> list[Tensor]:
        """The members of each minibatch of an epoch, about `size` frames each, shuffled by PyTorch's generator."""

    def batch(self, members: Tensor, of: Tensor | None = None) -> Batch:
        """The minibatch of one element of a plan, or a share `of` one, which is padded as the whole."""

    def utterances(self, members: Tensor) -> list[str]:
        """The names of the utterances in a minibatch."""


class EpochSets(Protocol):
    """A training set that may differ from epoch to epoch."""

    def for_epoch(self, epoch: int) -> Batching:
        """The minibatches of an epoch, counted from 0."""


class FrameBatching:
    """Minibatches of labelled frames, each with its neighbours; a minibatch is one indexed copy of rows.

    Its members are the rows of its frames in `speech.rows`.

    If it is not `lasting`, but made for one epoch, its minibatches are gathered outside of CUDA graphs.
    """

    def __init__(self, speech: Speech, lasting: bool = True) -> None:
        self.speech, self.lasting = speech, lasting
        self.rows = (speech.labels != UNLABELLED).nonzero()[:, 0]

    def for_epoch(self, epoch: int) -> Batching:
        return self

    def plan(self, size: int, shuffled: bool) -> list[Tensor]:
        if not shuffled:
            return list(self.rows.split(size))
        order = torch.randperm(len(self.rows)).to(self.rows.device)
        return list(self.rows[order].split(size))

    def batch(self, members: Tensor, of: Tensor | None = None) -> Batch:
        speech = self.speech
        width, dim = 2 * speech.edge + 1, speech.rows.shape[1]
        windows = speech.rows.as_strided((len(speech.rows) - width + 1, width * dim), (dim, 1))
        inputs = windows.index_select(0, members - speech.edge).view(-1, width, dim)
        return Batch(inputs, speech.labels[members])

    def utterances(self, members: Tensor) -> list[str]:
        numbers = torch.searchsorted(self.speech.starts, members, right=True) - 1
        return [self.speech.utterances[number] for number in numbers.unique().tolist()]


@dataclass(frozen=True)
class FrameNumbers:
    """A minibatch of frames that is gathered where it is used, which may be in a CUDA graph.

    `members` [B] are the rows of its frames in `Speech.rows`; `of` is as in `Batch`.
    """

    batching: FrameBatching
    members: Tensor
    of: int

    @property
    def shape(self) -> tuple[object, ...]:
        return self.batching, self.members.shape, self.of

    def gathered(self) -> Batch:
        return self.batching.batch(self.members)

    def clone(self) -> "FrameNumbers":
        return replace(self, members=self.members.clone())

    def copy_(self, other: "FrameNumbers") -> None:
        self.members.copy_(other.members)


class UtteranceBatching:
    """Minibatches of utterances of similar length, so that little is padding; members are utterances, on the CPU.

    With `padded`, a few ascending lengths, each utterance is padded to the next of these, so that there are few shapes;
    where it is longer than all of them, or without `padded`, to the longest utterance of its minibatch.
    """

    SPREAD = 0.1  # an utterance is sorted by its length times a random 1 +- SPREAD, so that batches differ by epoch

    def __init__(self, speech: Speech, padded: Sequence[int] = ()) -> None:
        self.speech, self.padded = speech, padded
        self.lengths = speech.lengths.cpu()
        self.usable = torch.arange(len(self.lengths))
        if speech.phones is not None:
            self.phones = speech.phones.counts
            self.usable = self.phones.nonzero()[:, 0]
            self.first_phones = self.phones.cumsum(0) - self.phones

    def for_epoch(self, epoch: int) -> Batching:
        return self

    def plan(self, size: int, shuffled: bool) -> list[Tensor]:
        """Each minibatch has at most `size` frames including padding, or is a single longer utterance.

        Utterances without a phone to learn from are left out.
        """
        parts = self._parts_of_few_shapes(size, shuffled) if self.padded else self._parts(size, shuffled)
        turns = torch.randperm(len(parts)).tolist() if shuffled else range(len(parts))
        return [parts[number] for number in turns]

    def _parts(self, size: int, shuffled: bool) -> list[Tensor]:
        lengths = self.lengths[self.usable]
        keys = lengths.float()
        if shuffled:
            keys *= 1 + self.SPREAD * (2 * torch.rand(len(keys)) - 1)
        order = self.usable[keys.argsort(stable=True)]
        return [torch.tensor(part) for part in _within_budget(order.tolist(), self.lengths.tolist(), size)]

    def _parts_of_few_shapes(self, size: int, shuffled: bool) -> list[Tensor]:
        """As many utterances in each minibatch of a padded length as fit; the rest joins those of the next length."""
        order = self.usable[torch.randperm(len(self.usable))] if shuffled else self.usable
        group = torch.searchsorted(torch.tensor(self.padded), self.lengths[order])
        parts: list[Tensor] = []
        rest = order[:0]
        for number, length in enumerate(self.padded):
            members = torch.cat([rest, order[group == number]])
            count = max(size // length, 1)
            whole = len(members) // count * count
            parts += members[:whole].view(-1, count)
            rest = members[whole:]
        longer = order[group == len(self.padded)].tolist()
        parts += [torch.tensor(part) for part in _within_budget(longer, self.lengths.tolist(), size)]
        return parts + [rest] * (len(rest) > 0)

    def batch(self, members: Tensor, of: Tensor | None = None) -> Batch:
        speech = self.speech
        whole = members if of is None else of
        longest = int(self.lengths[whole].max())  # computed on the CPU, so as not to wait for a GPU
        longest = next((length for length in self.padded if length >= longest), longest)
        labels = self._phone_labels(members, whole) if speech.phones is not None else None
        members = members.to(speech.starts.device, non_blocking=True)
        starts, lengths = speech.starts[members], speech.lengths[members]
        frame = torch.arange(longest, device=members.device)
        rows = starts[:, None] + torch.minimum(frame, lengths[:, None] - 1)
        beyond = frame >= lengths[:, None]
        if labels is None:
            labels = speech.labels[rows].masked_fill(beyond, UNLABELLED)
        timing = None if speech.timing is None else speech.timing[rows].masked_fill(beyond, UNLABELLED)
        if speech.stream is None:
            return Batch(speech.rows[rows], labels, lengths, timing)
        return Batch(_repeating(speech.stream(members.tolist()), longest), labels, lengths, timing)

    def _phone_labels(self, members: Tensor, whole: Tensor) -> Tensor:
        """The phones [B, U] of some utterances of a `whole` minibatch."""
        counts = self.phones if self.padded else self.phones[whole]
        place = torch.arange(int(counts.max()))
        beyond = place >= self.phones[members, None]
        index = (self.first_phones[members, None] + place).masked_fill(beyond, 0)
        labels = self.speech.labels
        index, beyond = (each.to(labels.device, non_blocking=True) for each in (index, beyond))
        return labels[index].masked_fill(beyond, UNLABELLED)

    def utterances(self, members: Tensor) -> list[str]:
        return [self.speech.utterances[number] for number in members.tolist()]


def _repeating(rows: Sequence[Tensor], longest: int) -> Tensor:
    """Rows [T, D] of utterances as [B, longest, D]; each repeats its last one after its end."""
    padded = rows[0].new_empty(len(rows), longest, rows[0].shape[1])
    for out, each in zip(padded, rows, strict=True):
        out[: len(each)] = each
        out[len(each) :] = each[-1]
    return padded


def _within_budget(order: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Cuts an order of utterances into runs whose number times longest length is at most `size` frames."""
    parts: list[list[int]] = []
    longest = 0
    for number in order:
        longest = max(longest, lengths[number])
        if not parts or (len(parts[-1]) + 1) * longest > size:
            parts.append([])
            longest = lengths[number]
        parts[-1].append(number)
    return parts


def draws_frames(config: TrainingConfig, model: AcousticModel) -> bool:
    """Whether minibatches are of single frames: as the recipe says; by default, if the model sees a fixed window and
    the loss is not CTC.

    Raises InputError when the recipe asks for frames but the model needs whole utterances.
    """
    if config.batching == "frames" and model.context is None:
        raise InputError("training.batching: this model needs whole utterances; set it to utterances")
    whole = model.context is None or config.loss == "ctc"
    return (config.batching or ("utterances" if whole else "frames")) == "frames"


def batches(
    batching: Batching, plan: Sequence[Tensor], device: torch.device, rank: int = 0, world: int = 1
) -> Iterator[Minibatch]:
    """Yields the minibatches of a plan on `device`; of each, the share of process `rank` of `world`.

    Where the input is not in the device's memory, threads make the next minibatches while the device computes.
    """
    if batching.speech.resident:
        for members in plan:
            if isinstance(batching, FrameBatching) and batching.lasting and rank < len(members):
                yield FrameNumbers(batching, members[rank::world], len(members))
            else:
                yield _share(batching, members, rank, world)
        return
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        try:
            for members in plan:
                waiting.append(pool.submit(_gather, batching, device, rank, world, members))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result().to(device)
            while waiting:
                yield waiting.popleft().result().to(device)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _gather(batching: Batching, device: torch.device, rank: int, world: int, members: Tensor) -> Batch:
    return _share(batching, members, rank, world).staged(device)


def _share(batching: Batching, members: Tensor, rank: int, world: int) -> Batch:
    """Every `world`-th member; a process that gets none takes one whose labels do not count."""
    own = members[rank::world] if rank < len(members) else members[:1]
    share = replace(batching.batch(own, members), of=len(members))
    return share if rank < len(members) else share.unlabelled()
