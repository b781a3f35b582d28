"""The times of recognised phones, from the second output of a CTC model."""

from collections.abc import Sequence
from dataclasses import replace

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.posteriors import LogPosteriors
from asr.acoustics.tables import TrainedModel
from asr.alignment.forced_alignment import Classes, boundary_seconds, force_align
from asr.alignment.spoken import with_pauses
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript


class PhoneTimer:
    """Aligns phones that were recognised to the posteriors of a model's second output."""

    def __init__(self, model: TrainedModel) -> None:
        self.phone_set = model.config.targets.phone_set
        self.numbers = self.phone_set.numbers
        self.classes = Classes.of(model)
        self.times = FrameTimes.of(model.config.features)

    def timed(self, transcript: Transcript, log_posteriors: LogPosteriors) -> Transcript:
        """A transcript whose phones, and those of its n-best list, have the times of their alignment to log posteriors
        [T, F]."""

        def phones(found: Sequence[PhoneSegment]) -> list[PhoneSegment]:
            return self._timed(found, log_posteriors, transcript.duration or 0.0)

        nbest = [replace(each, phones=phones(each.phones)) for each in transcript.nbest]
        return replace(transcript, phones=phones(transcript.phones), nbest=nbest)

    def _timed(
        self, phones: Sequence[PhoneSegment], log_posteriors: LogPosteriors, duration: float
    ) -> list[PhoneSegment]:
        """Silence that is found between two phones is between their times. More phones than fit keep their times."""
        items = with_pauses([self.numbers[phone.phone] for phone in phones], self.phone_set)
        try:
            found = force_align(log_posteriors, items, self.classes)
        except InputError:
            return list(phones)
        edges = boundary_seconds(found, self.times, duration, found.phones.tolist())[0].round(4)
        spoken = [number for number, item in enumerate(found.items.tolist()) if isinstance(items[item], int)]
        starts, ends = edges[:-1][spoken].tolist(), edges[1:][spoken].tolist()
        return [replace(phone, start=start, end=end) for phone, start, end in zip(phones, starts, ends, strict=True)]
