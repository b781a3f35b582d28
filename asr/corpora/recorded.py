"""Where the audio of a cut is: a part of a file, and of its channels one or the mean of all."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asr.audio import read_audio
from asr.audio.waveform import Waveform

if TYPE_CHECKING:
    from lhotse import MonoCut


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file from `start` on for `duration` seconds (None: to its end), and one `channel` of it, from 0 (None: the mean
    of all)."""

    path: str
    start: float = 0.0
    duration: float | None = None
    channel: int | None = None

    def samples(self, sample_rate: int, warnings: list[str] | None = None) -> Waveform:
        """The samples [S] at `sample_rate` Hz; `warnings` and InputError as of `read_audio`."""
        return read_audio(self.path, sample_rate, self.start, self.duration, self.channel, warnings)

    def part(self, start: float, end: float | None = None) -> "Recorded":
        """What is recorded from `start` to `end` (s; None: its end), at most to its end."""
        ends = [each for each in (self.duration, end) if each is not None]
        return replace(self, start=self.start + start, duration=min(ends) - start if ends else None)


def recorded(cut: "MonoCut") -> Recorded:
    """Where a cut is recorded: in one channel of a recording that has several, as Lhotse reads it too. Where the
    recording has one, its file may have more, which are mixed."""
    source = cut.recording.sources[0]
    whole = cut.start == 0 and cut.duration == cut.recording.duration
    channel = None if len(source.channels) == 1 else source.channels.index(cut.channel)
    return Recorded(source.source, cut.start, None if whole else cut.duration, channel)
