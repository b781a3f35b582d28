"""What may happen to a recording: the conditions of `robustness.py`, each a change to a test utterance.

Every change is the same each time: noise and rooms are drawn from the name of the utterance. The result is rounded to
16 bits and clipped at full scale, as recordings are.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from asr.formats.transcript import PhoneSegment, Transcript
from asr.phones.folding import fold
from asr.phones.phone_set import silences

Samples = npt.NDArray[np.float32]

GAP = 0.3
"""Seconds of zeros inserted."""
FULL_SCALE = 2**15
ROOM, DISTANCE = 50.0, 0.5
"""Volume (m3) and the microphone's distance (m): a small room, and REVERB's "near" (Kinoshita et al. 2016)."""
BURST = 0.002
"""Seconds between the direct sound and the first reflection."""


@dataclass(frozen=True)
class Recording:
    """An utterance's samples [S] in [-1, 1] at `rate` (Hz), and its phones as the corpus has them."""

    samples: Samples
    rate: int
    reference: Transcript

    @property
    def name(self) -> str:
        return self.reference.utterance


Change = Callable[[Recording, np.random.Generator], Recording]


@dataclass(frozen=True)
class FileFormat:
    """How soundfile writes a recording, at `rate` (Hz; None: its own), the same in all channels."""

    suffix: str
    rate: int | None = None
    channels: int = 1
    options: dict[str, Any] | None = None

    def write(self, recording: Recording, folder: Path) -> Path:
        samples, rate = recording.samples, self.rate or recording.rate
        if rate != recording.rate:
            samples = soxr.resample(samples, recording.rate, rate, quality="HQ")
        path = folder / f"recording{self.suffix}"
        soundfile.write(path, np.stack([samples] * self.channels, axis=1), rate, **(self.options or {}))
        return path


@dataclass(frozen=True)
class Condition:
    """A change, and the file format it is read from (None: straight from memory).

    `limit` is how many points of PER (silence removed) it may cost; None: nothing is asked.
    """

    name: str
    title: str
    limit: float | None
    change: Change = lambda recording, _: recording
    file: FileFormat | None = None

    def apply(self, recording: Recording) -> Recording:
        """The changed recording, in 16 bits."""
        generator = np.random.default_rng(zlib.crc32(f"{self.name} {recording.name}".encode()))
        changed = self.change(recording, generator)
        rounded = np.clip(np.round(changed.samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1) / FULL_SCALE
        return replace(changed, samples=rounded.astype(np.float32))


def padded(seconds: float, level: float | None = None) -> Change:
    """On both sides, zeros or white noise of `level` dB of full scale."""

    def change(recording: Recording, generator: np.random.Generator) -> Recording:
        length = round(seconds * recording.rate)
        deviation = 0.0 if level is None else 10 ** (level / 20)
        before, after = deviation * generator.standard_normal((2, length))
        return replace(recording, samples=np.concatenate([before, recording.samples, after]))

    return change


def gap_between_phones(recording: Recording, generator: np.random.Generator) -> Recording:
    """Zeros inserted at the phone boundary nearest to the middle (without phone times, at the middle); a silence there
    is added to the reference of a corpus that transcribes silence."""
    phones = recording.reference.phones
    middle = len(recording.samples) / recording.rate / 2
    starts = [np.inf if phone.start is None else abs(phone.start - middle) for phone in phones]
    nearest = int(np.argmin(starts))
    if starts[nearest] == np.inf:
        return _insert(recording, middle, phones)
    silence = next((phone.phone for phone in phones if is_silence(phone.phone)), None)
    added = [] if silence is None else [PhoneSegment(silence)]
    return _insert(recording, phones[nearest].start or 0.0, [*phones[:nearest], *added, *phones[nearest:]])


def gap_in_a_pause(recording: Recording, generator: np.random.Generator) -> Recording:
    """Zeros inserted in the middle of the inner silence nearest to the utterance's middle, or as `gap_between_phones`
    where there is none."""
    middle = len(recording.samples) / recording.rate / 2
    places = [
        (phone.start + phone.end) / 2
        for phone in recording.reference.phones[1:-1]
        if is_silence(phone.phone) and phone.start is not None and phone.end is not None
    ]
    if not places:
        return gap_between_phones(recording, generator)
    return _insert(recording, min(places, key=lambda place: abs(place - middle)), recording.reference.phones)


@cache
def is_silence(phone: str) -> bool:
    return not set(fold([phone], "timit39")).isdisjoint(silences("timit39"))


def _insert(recording: Recording, place: float, phones: list[PhoneSegment]) -> Recording:
    before, after = np.split(recording.samples, [round(place * recording.rate)])
    samples = np.concatenate([before, np.zeros(round(GAP * recording.rate), np.float32), after])
    return replace(recording, samples=samples, reference=replace(recording.reference, phones=phones))


def gain(decibels: float) -> Change:
    return lambda recording, _: replace(recording, samples=recording.samples * 10 ** (decibels / 20))


def overdriven(decibels: float) -> Change:
    """The peak is brought to so many dB above full scale, where it is clipped."""

    def change(recording: Recording, generator: np.random.Generator) -> Recording:
        peak = float(np.abs(recording.samples).max()) or 1.0
        return replace(recording, samples=recording.samples * (10 ** (decibels / 20) / peak))

    return change


def offset(value: float) -> Change:
    return lambda recording, _: replace(recording, samples=recording.samples + np.float32(value))


def white_noise(decibels: float) -> Change:
    """At this ratio of the whole utterance's power to that of the noise."""

    def change(recording: Recording, generator: np.random.Generator) -> Recording:
        noise = generator.standard_normal(len(recording.samples))
        deviation = recording.samples.std() * 10 ** (-decibels / 20)
        return replace(recording, samples=recording.samples + deviation * noise)

    return change


def reverberation(seconds: float) -> Change:
    """A synthetic room response: the direct sound, of unit energy, and noise that decays by 60 dB in `seconds`.

    The reverberation's energy is that of a diffuse field in a room of `ROOM` m3 at `DISTANCE` m: (d / r)^2 with the
    critical distance r = 0.057 sqrt(V / T60). The direct sound comes without delay, and the end rings for T60.
    """

    def change(recording: Recording, generator: np.random.Generator) -> Recording:
        time = np.arange(round(seconds * recording.rate)) / recording.rate
        response = generator.standard_normal(len(time)) * np.exp(-3 * np.log(10) * time / seconds) * (time >= BURST)
        energy = (DISTANCE / 0.057) ** 2 * seconds / ROOM
        response *= np.sqrt(energy / np.square(response).sum())
        response[0] = 1.0
        length = len(recording.samples) + len(response) - 1
        spectrum = np.fft.rfft(recording.samples, length) * np.fft.rfft(response, length)
        return replace(recording, samples=np.fft.irfft(spectrum, length))

    return change


def narrow_band(recording: Recording, generator: np.random.Generator) -> Recording:
    """As a recording of 8 kHz that someone has converted to the model's rate."""
    low = soxr.resample(recording.samples, recording.rate, 8000, quality="HQ")
    return replace(recording, samples=soxr.resample(low, 8000, recording.rate, quality="HQ"))


MP3 = FileFormat(
    ".mp3",
    options={"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.84, "bitrate_mode": "CONSTANT"},
)
OPUS = FileFormat(".opus", options={"format": "OGG", "subtype": "OPUS", "compression_level": 0.965})
"""16 kbit/s on average, with the container; soundfile gives no bit rate but a level, and Opus only a variable rate."""

CONDITIONS = (
    Condition("alone", "alone, without its speaker's others", 0.3),
    Condition("zeros 0.1 s", "0.1 s of zeros on both sides", 0.5, padded(0.1)),
    Condition("zeros 0.5 s", "0.5 s of zeros on both sides", 0.5, padded(0.5)),
    Condition("zeros 1 s", "1 s of zeros on both sides", 0.5, padded(1.0)),
    Condition("gap", "0.3 s of zeros between two phones", 0.5, gap_between_phones),
    Condition("gap in a pause", "0.3 s of zeros in a pause", 0.5, gap_in_a_pause),
    Condition("pads -80 dB", "1 s of noise at -80 dBFS on both sides", 0.5, padded(1.0, -80)),
    Condition("gain -30 dB", "30 dB softer, in 16 bits", 0.5, gain(-30)),
    Condition("gain -20 dB", "20 dB softer, in 16 bits", 0.5, gain(-20)),
    Condition("clipped", "peak 6 dB above full scale, clipped", 2.0, overdriven(6)),
    Condition("DC", "constant offset of 0.1", 0.5, offset(0.1)),
    Condition("noise 20 dB", "white noise at 20 dB", 8.0, white_noise(20)),
    Condition("noise 10 dB", "white noise at 10 dB", 20.0, white_noise(10)),
    Condition("room 0.3 s", "reverberation, T60 0.3 s, 0.5 m", 8.0, reverberation(0.3)),
    Condition("room 0.6 s", "reverberation, T60 0.6 s, 0.5 m", None, reverberation(0.6)),
    Condition("8 kHz", "8 kHz speech at the model's rate", 6.0, narrow_band),
    Condition("8 kHz file", "8 kHz WAV file", 6.0, file=FileFormat(".wav", 8000)),
    Condition("MP3", "MP3 file of 32 kbit/s", 3.0, file=MP3),
    Condition("Opus", "Opus file of 16 kbit/s", 3.0, file=OPUS),
    Condition("44.1 kHz stereo", "44.1 kHz stereo WAV file", 0.5, file=FileFormat(".wav", 44_100, 2)),
)
