"""Audio of a file, whole or in blocks: one channel or their mean, resampled."""

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from asr.audio.channels import Mixer
from asr.audio.decoder import AudioInfo, Decoder
from asr.audio.opening import audio_status, open_audio
from asr.audio.quality import Quality
from asr.audio.waveform import Waveform
from asr.errors import InputError

log = logging.getLogger(__name__)

LONGEST = 4 * 3600.0
"""Seconds that `read_audio` returns at most: 0.9 GB at 16 kHz, twice that while it reads."""


def audio_info(path: Path | str) -> AudioInfo:
    """Sample rate in Hz, samples per channel and number of channels, from the header and the file's size.

    A file whose header has no length is decoded. A file that has not changed since is not read again, as lists have
    many parts of one. Raises InputError as `read_audio` does, except for errors that only the samples show.
    """
    path = Path(path)
    status = audio_status(path)
    return _info(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _info(path: Path, inode: int, size: int, modified: int) -> AudioInfo:
    with open_audio(path) as decoder:
        samples = decoder.samples
        if samples is None:
            samples = sum(len(block) for block in decoder.blocks(0, None))
        return AudioInfo(decoder.sample_rate, samples, decoder.channels)


def read_audio(
    path: Path | str,
    sample_rate: int,
    start: float = 0.0,
    duration: float | None = None,
    channel: int | None = None,
    warnings: list[str] | None = None,
) -> Waveform:
    """Samples [S] in [-1, 1], float32, resampled (soxr, high quality) to `sample_rate` Hz.

    `channel` (from 0) is read alone; None averages the channels, or takes the louder one where they cancel.
    `start` and `duration` (seconds) select a part of the file; None reads to its end. Problems of the file and of
    the recording (`asr.audio.quality`) are appended to `warnings`; with None, those of the file are logged.

    Raises InputError when the file is missing, a folder, empty, not audio, truncated, without samples or that channel,
    of an impossible rate, or has samples that are not audio (not finite, or far above full scale); and when the part
    extends past the file's end, or is longer than LONGEST.

    >>> read_audio("hello.wav", 16000, start=0.5, duration=0.1).shape
    (1600,)
    """
    path = Path(path)
    parts, length = [], 0
    with open_audio(path) as decoder:
        rate = decoder.sample_rate
        first = round(start * rate)
        count = None if duration is None else round(duration * rate)
        if decoder.samples is not None:
            _check_part(path, rate, decoder.samples, first, count)
            _check_length(path, (decoder.samples - first if count is None else count) / rate)
        for part in _read(path, decoder, sample_rate, first, count, channel, warnings):
            parts.append(part)
            length += len(part)
            _check_length(path, length / sample_rate)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def read_blocks(
    path: Path | str,
    sample_rate: int,
    seconds: float = 60.0,
    channel: int | None = None,
    warnings: list[str] | None = None,
) -> Iterator[Waveform]:
    """The samples of `read_audio`, in blocks of `seconds`; the last may be shorter. Memory does not grow with length.

    `warnings` is complete after the last block. Raises InputError as `read_audio` does, at the block that shows it.
    """
    path = Path(path)
    length = max(1, round(seconds * sample_rate))
    with open_audio(path) as decoder:
        yield from _blocks(_read(path, decoder, sample_rate, 0, None, channel, warnings), length)


def _check_part(path: Path, rate: int, samples: int, first: int, count: int | None) -> None:
    count = samples - first if count is None else count
    if first < 0 or count <= 0 or first + count > samples:
        raise InputError(
            f"has {samples / rate:.3f} s of audio, but {first / rate:.3f} s + {count / rate:.3f} s were requested; "
            "give a part that it has or, where that is a manifest's, rerun asr prepare",
            path,
        )


def _check_length(path: Path, seconds: float) -> None:
    if seconds > LONGEST:
        raise InputError(
            f"is longer than {LONGEST / 3600:g} hours, which does not fit in memory; split it into parts", path
        )


def _read(
    path: Path,
    decoder: Decoder,
    sample_rate: int,
    first: int,
    count: int | None,
    channel: int | None,
    warnings: list[str] | None,
) -> Iterator[Waveform]:
    """One channel of a part of a file, at `sample_rate`; then appends or logs the warnings."""
    mixer = Mixer(path, decoder.channels, channel)
    quality = None if warnings is None else Quality(decoder.sample_rate, sample_rate)
    for samples in resampled(_mono(path, decoder, first, count, mixer, quality), decoder.sample_rate, sample_rate):
        if quality is not None:
            quality.add_samples(samples)
        yield samples
    found = decoder.warnings + mixer.warnings
    if warnings is None or quality is None:
        for each in found:
            log.warning("%s: %s", path, each)
    else:
        warnings += found + quality.warnings()


def _mono(
    path: Path, decoder: Decoder, first: int, count: int | None, mixer: Mixer, quality: Quality | None
) -> Iterator[Waveform]:
    """One channel of a part of a file, at the file's rate."""
    length = 0
    for block in decoder.blocks(first, count):
        length += len(block)
        yield mixer.mix(block)
        if quality is not None:
            quality.add_block(block if mixer.channel is None else block[:, mixer.channel, None])
    if decoder.samples is None and (first < 0 or length < max(1, count or 1)):
        _check_part(path, decoder.sample_rate, audio_info(path).samples, first, count)


def resampled(blocks: Iterable[Waveform], rate: int, sample_rate: int) -> Iterator[Waveform]:
    """Blocks of samples [S] at `rate` Hz as blocks at `sample_rate` Hz, equal to what resampling them at once gives."""
    if rate == sample_rate:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _blocks(parts: Iterable[Waveform], length: int) -> Iterator[Waveform]:
    """The same samples in blocks of one length; the last may be shorter."""
    held = np.zeros(0, np.float32)
    for part in parts:
        held = np.concatenate([held, part])
        while len(held) >= length:
            yield held[:length]
            held = held[length:]
    if len(held):
        yield held
