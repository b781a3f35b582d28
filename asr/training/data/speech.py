"""The model input and labels of a split, in the device's memory or on disk."""

import errno
import os
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.alignment.states import NO_ALIGNMENTS, Alignments, said_phones
from asr.config import FeaturesConfig, RecipeConfig, TrainingConfig
from asr.errors import InputError
from asr.features.cmvn import Cmvn
from asr.features.dataset import Split
from asr.features.normalize import utterance_statistics
from asr.phones.classes import UNLABELLED
from asr.progress import track
from asr.storage.files import cannot_write
from asr.training.data.layout import Layout, Numbers, normalize_rows
from asr.training.data.memory import fits_in_memory
from asr.training.data.streams import ArchivedRows, RowStream
from asr.training.data.targets import ctc_frames, cut_labels, phone_labels

_ZEROS = 1 << 20


@dataclass(frozen=True)
class Speech:
    """Utterances one after another, each with `edge` copies of its first and of its last frame around it.

    The window of a frame is thus contiguous in memory. rows [R, D] is the model input; starts [U] and lengths [U] say
    where the frames of an utterance are. labels [R] is the class of each row, UNLABELLED in the edges. For CTC,
    `phones` has the number of phones of each utterance, and labels their classes, one utterance after another; timing
    [R] is then the class of each row for the output of `training.timing`, if there is one. All are on one device; if
    not `resident`, all are on the CPU, and rows is a memory-mapped file or, for minibatches of utterances, empty: the
    `stream` makes the model input.
    """

    rows: Tensor
    labels: Tensor
    starts: Tensor
    lengths: Tensor
    utterances: list[str]
    edge: int
    resident: bool
    phones: "PhoneCounts | None" = None
    stream: RowStream | None = None
    timing: Tensor | None = None


class Use(Enum):
    """What a split's model input is needed for."""

    FRAMES = auto()
    """Minibatches of single frames, drawn from all rows."""
    UTTERANCES = auto()
    """Minibatches of whole utterances."""
    LABELS = auto()
    """None: the labels are, and each epoch has its own input."""


@dataclass(frozen=True)
class PhoneCounts:
    """For CTC: how many phones [U] each utterance has to learn from (on the CPU), and the fewest frames [U] that they
    need. `too_short` has the names of utterances with fewer frames, and the reasons; their phones count as none."""

    counts: Tensor
    fewest: Numbers
    too_short: dict[str, str]


def load_speech(
    config: RecipeConfig,
    split: Split,
    edge: int,
    device: torch.device,
    subsampling: int = 1,
    alignments: Alignments = NO_ALIGNMENTS,
    use: Use = Use.FRAMES,
) -> Speech:
    """Reads a split's features and labels; they stay on `device` if they fit, else on disk.

    On disk, frames to be drawn are in a memory-mapped file, and utterances in the archive. `subsampling` is the
    model's, for CTC. Frame labels come from `alignments`, or from the corpus's phone times for an utterance without
    one; under CTC they choose the pronunciations of words. Raises InputError when the split has no labelled frame, or
    no utterance that CTC can learn from.
    """
    archive = split.archive
    layout = Layout(np.diff(archive.starts), edge)
    shape = (layout.rows, config.features.dim)
    resident = stays_resident(4 * shape[0] * shape[1] * (use != Use.LABELS), config.training, device)
    rows, stream = _room(split, shape, device, resident, use)
    place = rows.device
    ctc = config.topology == "ctc"
    frame_labels = None if config.frame_targets is None else np.full(layout.rows, UNLABELLED)
    sequences = [np.empty(0, np.int64)] * len(archive)
    for number, cut in track(split.numbered(), f"loading {split.name}", total=len(split)):
        frames, first = int(layout.lengths[number]), int(layout.starts[number])
        if len(rows):
            edged = _edged_input(archive[number], archive.speakers[number], split.cmvn, config.features, edge)
            rows[first - edge : first + frames + edge] = edged.to(place)
        if ctc:
            sequences[number] = phone_labels(said_phones(cut, config, alignments), config.targets)
        if frame_labels is not None:
            frame_labels[first : first + frames] = cut_labels(cut, frames, config, alignments)
    phones, labels = None, frame_labels
    if ctc:
        phones, labels = _alignable(sequences, layout.lengths, archive.utterances, subsampling)
    assert labels is not None
    _require_labels(split, frame_labels, labels)
    return Speech(
        rows=rows,
        labels=torch.from_numpy(labels).to(place),
        starts=torch.from_numpy(layout.starts).to(place),
        lengths=torch.from_numpy(layout.lengths).to(place),
        utterances=archive.utterances,
        edge=edge,
        resident=resident,
        phones=phones,
        stream=stream,
        timing=torch.from_numpy(frame_labels).to(place) if ctc and frame_labels is not None else None,
    )


def _room(
    split: Split, shape: tuple[int, int], device: torch.device, resident: bool, use: Use
) -> tuple[Tensor, RowStream | None]:
    """Rows [R, D] of a shape, to be filled; or, where they are not needed, none [0, D], and what streams them."""
    place = device if resident else torch.device("cpu")
    if use == Use.LABELS or (use == Use.UTTERANCES and not resident):
        stream = ArchivedRows(split) if use == Use.UTTERANCES else None
        return torch.empty(0, shape[1], device=place), stream
    path = None if resident else split.stem.with_name(f".{split.name}.{os.getpid()}.rows")
    return row_storage(shape, path, place), None


def _require_labels(split: Split, frame_labels: Numbers | None, labels: Numbers) -> None:
    """Raises InputError where no frame, or under CTC no utterance, has a label to learn from."""
    for each, reason in (
        (frame_labels, "no frame with a phone label"),
        (labels, "no utterance with as many frames as CTC needs for its phones; lower model.subsampling"),
    ):
        if each is not None and not (each != UNLABELLED).any():
            raise InputError(f"{split.name} has {reason}; check the corpus's phones", split.dataset.prepare_dir)


def _alignable(
    sequences: list[Numbers], lengths: Numbers, utterances: list[str], subsampling: int
) -> tuple[PhoneCounts, Numbers]:
    """The phone counts of the utterances that CTC can align to their phones, and the classes of all these phones."""
    fewest = np.array([(ctc_frames(labels) - 1) * subsampling + 1 for labels in sequences])
    too_short = {
        utterances[number]: f"{lengths[number]} frames are too few for CTC; its phones need {fewest[number]}"
        for number in np.flatnonzero(lengths < fewest).tolist()
    }
    kept = [labels[:0] if name in too_short else labels for labels, name in zip(sequences, utterances, strict=True)]
    counts = torch.tensor([len(labels) for labels in kept])
    return PhoneCounts(counts, np.where(counts > 0, fewest, 1), too_short), np.concatenate(kept)


def _edged_input(static: NDArray[np.float32], speaker: str, cmvn: Cmvn, config: FeaturesConfig, edge: int) -> Tensor:
    """The model input of one utterance [edge + T + edge, dim], from its static features [T, static_dim].

    Computed on the CPU, as in decoding, so that training data does not depend on the device.
    """
    layout = Layout(np.array([len(static)]), edge)
    rows = torch.zeros(layout.rows, config.dim)
    rows[edge : edge + len(static), : config.static_dim] = torch.from_numpy(np.array(static))
    statistics = utterance_statistics(static, speaker, cmvn, config)
    normalize_rows(rows, layout, [np.array([0])], None if statistics is None else [statistics], config)
    return rows


def stays_resident(size: int, config: TrainingConfig, device: torch.device) -> bool:
    """Whether `size` bytes of features stay in the device's memory: as the recipe says, or if they fit."""
    if config.resident is not None:
        return config.resident
    return fits_in_memory(size, device, config.memory)


def row_storage(shape: tuple[int, int], path: Path | None, device: torch.device) -> Tensor:
    """Zeroed rows in the device's memory, or in a file that the system removes when this process ends.

    Raises OutputError where the disk has no room for the file.
    """
    if path is None:
        return torch.zeros(shape, dtype=torch.float32, device=device)
    try:
        with open(path, "w+b") as file:
            path.unlink()
            _allocate(file, max(4 * shape[0] * shape[1], 1))
            rows = np.memmap(file, dtype=np.float32, mode="r+", shape=shape)
    except OSError as error:
        raise cannot_write(path, error) from error
    return torch.from_numpy(rows)


def _allocate(file: BinaryIO, size: int) -> None:
    """Gives a new file `size` zero bytes of disk: where it is full, writing to the mapped file would be a bus error."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # of a file system that cannot
                raise
    block = bytes(_ZEROS)
    for start in range(0, size, _ZEROS):
        file.write(block[: size - start])
    file.flush()
