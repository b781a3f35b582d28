"""Phones while one speaks: the last seconds of what was said are recognised again and again."""

from dataclasses import dataclass

import numpy as np

from asr.audio.waveform import Waveform
from asr.decoding.seams import join, shifted
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript
from asr.recognizer import Recognizer

WINDOW, KEPT = 6.0, 3.0
"""Seconds that are recognised at most, and those of them that are kept when the window moves on: a step costs the same
however long one speaks."""
MARGIN = 0.5
"""Seconds on each side of the cut in which the phones before and inside the window are joined."""
STEP = 0.3
"""Seconds of new speech from one step to the next."""
SHORTEST = 0.1
"""Seconds below which nothing is recognised."""


@dataclass(frozen=True)
class Step:
    """What there is to recognise now: samples from `first` on, after the phones `before` them."""

    samples: Waveform
    first: int
    before: list[PhoneSegment]


class LiveSpeech:
    """Speech that comes in pieces of 16-bit samples at `rate` Hz."""

    def __init__(self, recognizer: Recognizer, rate: int) -> None:
        import soxr

        self.recognizer = recognizer
        self._stream = soxr.ResampleStream(rate, recognizer.sample_rate, 1, dtype="float32", quality="HQ")
        self._same = rate == recognizer.sample_rate
        self._parts: list[Waveform] = []
        self._length = self._stepped = self._first = 0
        self._before: list[PhoneSegment] = []
        self.phones: list[PhoneSegment] = []

    @property
    def seconds(self) -> float:
        """The length of the speech so far."""
        return self._length / self.recognizer.sample_rate

    def add(self, content: bytes) -> None:
        """Adds samples, 16 bits each, little-endian. Raises InputError for half a sample."""
        if len(content) % 2:
            raise InputError("send whole samples of 16 bits, little-endian")
        self._append(np.frombuffer(content, "<i2").astype(np.float32) / np.float32(32768))

    def _append(self, samples: Waveform, last: bool = False) -> None:
        part = samples if self._same else self._stream.resample_chunk(samples, last=last)
        if len(part):
            self._parts.append(part)
            self._length += len(part)

    def next_step(self) -> Step | None:
        """What to recognise now; None until there are STEP seconds more."""
        rate = self.recognizer.sample_rate
        if self._length - self._stepped < STEP * rate:
            return None
        self._stepped = self._length
        if self._length - self._first > WINDOW * rate:
            self._before, self._first = list(self.phones), self._length - round(KEPT * rate)
        return Step(self._all()[self._first :], self._first, list(self._before))

    def recognise(self, step: Step) -> list[PhoneSegment]:
        """The phones so far; may run in another thread while samples are added."""
        found = self.recognizer.recognize(step.samples).phones
        self.phones = self._joined(step, found)
        return self.phones

    def _joined(self, step: Step, found: list[PhoneSegment]) -> list[PhoneSegment]:
        if step.first == 0:
            return found
        begin = step.first / self.recognizer.sample_rate
        phones = list(step.before)
        join(phones, shifted(found, begin), begin + MARGIN, MARGIN)
        return phones

    def finish(self) -> Transcript:
        """The transcript of all of it, as of a file. Raises InputError where it is too short."""
        self._append(np.zeros(0, np.float32), last=True)
        if self.seconds < SHORTEST:
            raise InputError("nothing was recorded; check the microphone")
        return self.recognizer.recognize(self._all(), "recording")

    def _all(self) -> Waveform:
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0] if self._parts else np.zeros(0, np.float32)


def common_phones(before: list[PhoneSegment], after: list[PhoneSegment]) -> int:
    """How many phones at the beginning are the same."""
    pairs = zip(before, after, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(before), len(after)))
