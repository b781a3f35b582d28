"""From a manifest to a feature archive with CMVN statistics, in one pass with constant memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from asr.audio import read_audio
from asr.config import FeaturesConfig
from asr.corpora.cuts import read_cuts
from asr.errors import InputError
from asr.features.archive import ArchiveWriter
from asr.features.cmvn import Cmvn, cmvn_path, save_cmvn
from asr.features.frontend import StaticFeatures, build_front_end
from asr.features.normalize import counted
from asr.progress import track
from asr.threads import one_torch_thread

if TYPE_CHECKING:
    from lhotse import MonoCut

READERS = 4  # threads; audio decoding releases Python's lock
# Decoded audio waiting at any moment, and audio of one batch including padding: these bound the memory.
AHEAD_SECONDS = 600.0
BATCH_SECONDS = {"cpu": 60.0, "cuda": 600.0}

Samples = NDArray[np.float32]


@dataclass
class ExtractSummary:
    """Contents of an archive: `seconds` of audio; `skipped` has the `utterance` and `reason` of each one left out."""

    utterances: int = 0
    frames: int = 0
    seconds: float = 0.0
    skipped: list[dict[str, str]] = field(default_factory=list)


def extract(
    cuts_path: Path | str,
    stem: Path | str,
    config: FeaturesConfig,
    device: torch.device | str = "cpu",
    skip_bad: bool = False,
) -> ExtractSummary:
    """Writes `stem.npy`, `stem.index.jsonl` and `stem.cmvn.safetensors`: static features in the manifest's order.

    Raises InputError when audio cannot be read or is shorter than one frame; with `skip_bad` such an utterance is left
    out and counted instead. Raises InputError when nothing is left.
    """
    device = torch.device(device)
    front_end = build_front_end(config, device)
    summary, cmvn = ExtractSummary(), Cmvn()
    limit = int(BATCH_SECONDS[device.type] * config.sample_rate)
    with one_torch_thread(), ArchiveWriter(stem, config.static_dim) as archive:
        audio = read_ahead(read_cuts(cuts_path), config.sample_rate)
        usable = _usable(audio, front_end, summary.skipped if skip_bad else None)
        for batch in _batches(track(usable, f"features of {Path(stem).name}"), limit):
            features, lengths = front_end(*_padded([samples for _, samples in batch]))
            rows = features.cpu().numpy()
            for (cut, samples), row, length in zip(batch, rows, lengths.tolist(), strict=True):
                speaker = cut.supervisions[0].speaker or cut.id
                archive.append(cut.id, speaker, row[:length])
                cmvn.add(speaker, counted(row[:length], config))
                summary.utterances += 1
                summary.frames += length
                summary.seconds += len(samples) / config.sample_rate
        if summary.utterances == 0:
            raise InputError("has no utterance with usable audio; rerun the prepare stage", cuts_path)
        save_cmvn(cmvn_path(stem), cmvn)
    return summary


def read_ahead(cuts: Iterable["MonoCut"], sample_rate: int) -> Iterator[tuple["MonoCut", "Future[Samples]"]]:
    """Each cut with its audio, decoded by threads while earlier cuts are computed."""
    waiting: deque[tuple[MonoCut, Future[Samples]]] = deque()
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


def read_cut(cut: "MonoCut", sample_rate: int) -> Samples:
    recording = cut.recording
    if cut.start == 0 and cut.duration == recording.duration:
        return read_audio(recording.sources[0].source, sample_rate)
    return read_audio(recording.sources[0].source, sample_rate, cut.start, cut.duration)


def _usable(
    audio: Iterable[tuple["MonoCut", "Future[Samples]"]],
    front_end: StaticFeatures,
    skipped: list[dict[str, str]] | None,
) -> Iterator[tuple["MonoCut", Samples]]:
    """Leaves out cuts without a frame of readable audio and lists them in `skipped`; None: raises InputError."""
    for cut, future in audio:
        try:
            samples = future.result()
            if front_end.frame_count(len(samples)) == 0:
                raise InputError(
                    f"utterance {cut.id} is shorter than one frame ({len(samples)} samples at "
                    f"{front_end.config.sample_rate} Hz); leave it out of the manifest",
                    cut.recording.sources[0].source,
                )
        except InputError as error:
            if skipped is None:
                raise
            skipped.append({"utterance": cut.id, "reason": str(error)})
            continue
        yield cut, samples


def _batches(audio: Iterable[tuple["MonoCut", Samples]], limit: int) -> Iterator[list[tuple["MonoCut", Samples]]]:
    """Groups of utterances, in order, of at most `limit` samples including padding; a longer utterance is alone."""
    batch: list[tuple[MonoCut, Samples]] = []
    longest = 0
    for cut, samples in audio:
        longest = max(longest, len(samples))
        if batch and longest * (len(batch) + 1) > limit:
            yield batch
            batch, longest = [], len(samples)
        batch.append((cut, samples))
    if batch:
        yield batch


def _padded(waveforms: list[Samples]) -> tuple[torch.Tensor, torch.Tensor]:
    """Waveforms of several lengths, padded to [B, S], and their lengths [B]."""
    padded = pad_sequence([torch.from_numpy(waveform) for waveform in waveforms], batch_first=True)
    return padded, torch.tensor([len(waveform) for waveform in waveforms])
