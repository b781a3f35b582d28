"""From a manifest to a feature archive with CMVN statistics, in one pass with constant memory."""

import operator
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from asr.audio.waveform import Waveform
from asr.batches import padded_batches
from asr.config import FeaturesConfig
from asr.corpora.corpus import SKIP
from asr.corpora.cuts import read_cuts
from asr.corpora.recorded import Recorded, recorded
from asr.engines.engine import Engine, Work
from asr.engines.threads import Threads
from asr.errors import InputError
from asr.features.archive import ArchiveWriter
from asr.features.cmvn import Cmvn, cmvn_path, save_cmvn
from asr.features.frontend import StaticFeatures, build_front_end
from asr.features.normalize import counted
from asr.processes.share import WHOLE, Share
from asr.progress import track
from asr.threads import available_cores

if TYPE_CHECKING:
    from lhotse import MonoCut

READERS = 4  # threads; audio decoding releases Python's lock
# Decoded audio waiting at any moment, and audio of one batch including padding: these bound the memory.
AHEAD_SECONDS = 600.0
BATCH_SECONDS = {"cpu": 60.0, "cuda": 600.0}
WAITING = 32
"""Batches whose features may wait for an earlier one: at most 25 MB on a CPU, 250 MB on a GPU."""

T = TypeVar("T")
Features = tuple[int, NDArray[np.float32]] | InputError
"""The samples of an utterance and its features [T, static_dim], or why it has none."""


class Audio(NamedTuple):
    """An utterance to compute, where it is recorded, and how many seconds it has."""

    utterance: str
    speaker: str
    recorded: Recorded
    seconds: float


class Found(NamedTuple):
    """An utterance with what became of it."""

    utterance: str
    speaker: str
    features: Features


@dataclass
class ExtractSummary:
    """Contents of an archive: `seconds` of audio; `skipped` has the `utterance` and `reason` of each one left out."""

    utterances: int = 0
    frames: int = 0
    seconds: float = 0.0
    skipped: list[dict[str, str]] = field(default_factory=list)

    def add(self, found: Found, sample_rate: int) -> None:
        """Counts an utterance, or lists it as left out."""
        if isinstance(found.features, InputError):
            self.skipped.append({"utterance": found.utterance, "reason": str(found.features)})
            return
        samples, features = found.features
        self.utterances += 1
        self.frames += len(features)
        self.seconds += samples / sample_rate


def extract(
    cuts_path: Path | str,
    stem: Path | str,
    config: FeaturesConfig,
    device: torch.device | str = "cpu",
    skip_bad: bool = False,
    engine: Engine | None = None,
    further: Iterable[Found] = (),
    share: Share = WHOLE,
) -> ExtractSummary:
    """Writes `stem.npy`, `stem.index.jsonl` and `stem.cmvn.safetensors`: static features in the manifest's order.

    Threads compute them on `device`, or the workers of an `engine` on its own: a `share` of them, which `further` ones
    follow. Raises InputError when audio cannot be read or is shorter than one frame; with `skip_bad` such an utterance
    is left out and counted instead. Raises InputError when nothing is left.
    """
    summary, cmvn = ExtractSummary(), Cmvn()
    with ArchiveWriter(stem, config.static_dim) as archive:
        with closing(computed(cuts_path, config, device, engine, share)) as found:
            for each in track(chain(found, further), f"features of {Path(stem).name}"):
                if isinstance(each.features, InputError) and not skip_bad:
                    raise not_skipped(each.features)
                summary.add(each, config.sample_rate)
                if not isinstance(each.features, InputError):
                    archive.append(each.utterance, each.speaker, each.features[1])
                    cmvn.add(each.speaker, counted(each.features[1], config))
        if summary.utterances == 0:
            raise InputError("has no utterance with usable audio; rerun the prepare stage", cuts_path)
        save_cmvn(cmvn_path(stem), cmvn)
    return summary


def computed(
    cuts_path: Path | str,
    config: FeaturesConfig,
    device: torch.device | str = "cpu",
    engine: Engine | None = None,
    share: Share = WHOLE,
) -> Generator[Found, None, None]:
    """A share of a manifest's utterances with their features, in its order; shares are of whole batches."""
    engine = engine or Threads(max(READERS, available_cores()), str(device))
    limit = BATCH_SECONDS[torch.device(engine.device).type]
    seconds = operator.attrgetter("seconds")
    groups = padded_batches(map(_audio, read_cuts(cuts_path)), seconds, limit)
    if share.of > 1:
        groups = share.own(groups, seconds, sum(cut.duration for cut in read_cuts(cuts_path)))
    with closing(engine.map(partial(_start, config), groups, WAITING)) as found:
        for audio, result in found:
            yield Found(audio.utterance, audio.speaker, result)


def read_ahead(cuts: Iterable["MonoCut"], sample_rate: int) -> Iterator[tuple["MonoCut", "Future[Waveform]"]]:
    """Each cut with its audio, decoded by threads while earlier cuts are computed."""
    waiting: deque[tuple[MonoCut, Future[Waveform]]] = deque()
    seconds = 0.0
    with ThreadPoolExecutor(READERS) as pool:
        try:
            for cut in cuts:
                waiting.append((cut, pool.submit(read_cut, cut, sample_rate)))
                seconds += cut.duration
                while seconds > AHEAD_SECONDS:
                    seconds -= waiting[0][0].duration
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def read_cut(cut: "MonoCut", sample_rate: int) -> Waveform:
    """The samples [S] of a cut at `sample_rate` Hz. Raises InputError as `read_audio`."""
    return recorded(cut).samples(sample_rate)


def _audio(cut: "MonoCut") -> Audio:
    speaker = cut.supervisions[0].speaker or cut.id
    return Audio(cut.id, speaker, recorded(cut), cut.duration)


def _start(config: FeaturesConfig, device: str) -> Work[Audio, Features]:
    limit = BATCH_SECONDS[torch.device(device).type] * config.sample_rate
    return partial(_computed, build_front_end(config, device), limit)


def _computed(front_end: StaticFeatures, limit: float, group: Sequence[Audio]) -> list[Features]:
    """The features of a batch; it is divided where files are longer than their manifest says."""
    read = [_usable(audio, front_end) for audio in group]
    computed = iter(
        (len(samples), row[:length])
        for batch in padded_batches((each for each in read if not isinstance(each, InputError)), len, limit)
        for samples, row, length in zip(batch, *_features(front_end, batch), strict=True)
    )
    return [each if isinstance(each, InputError) else next(computed) for each in read]


def not_skipped(error: InputError) -> InputError:
    """The error of an utterance, with the way to go on without it."""
    return InputError(f"{error}; {SKIP} leaves it out and goes on")


def _usable(audio: Audio, front_end: StaticFeatures) -> Waveform | InputError:
    """The samples of an utterance, or why it has none of use."""
    try:
        samples = audio.recorded.samples(front_end.config.sample_rate)
    except InputError as error:
        return error
    if front_end.frame_count(len(samples)) == 0:
        return InputError(
            f"utterance {audio.utterance} is shorter than one frame ({len(samples)} samples at "
            f"{front_end.config.sample_rate} Hz)",
            audio.recorded.path,
        )
    return samples


def _features(front_end: StaticFeatures, batch: Sequence[Waveform]) -> tuple[NDArray[np.float32], list[int]]:
    """The features [B, T, static_dim] of waveforms, and their lengths [B]."""
    padded = pad_sequence([torch.from_numpy(samples) for samples in batch], batch_first=True)
    features, lengths = front_end(padded, torch.tensor([len(samples) for samples in batch]))
    return features.cpu().numpy(), lengths.tolist()
