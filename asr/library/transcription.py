"""The transcript of a recording as the library returns it: it writes itself to files and shows itself in notebooks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from asr.audio import audio_info, read_audio
from asr.errors import InputError
from asr.formats.ctm import write_ctm
from asr.formats.textgrid import write_textgrid
from asr.formats.transcript import Transcript, read_transcripts, write_transcripts
from asr.library.html import transcript_html
from asr.library.spectrogram import LONGEST, Picture, spectrogram


@dataclass(frozen=True, slots=True)
class Transcription(Transcript):
    """A transcript with times and scores, recognised or aligned.

    >>> transcript = recognizer.transcribe("hello.wav")
    >>> transcript.phones[0].start
    0.0075
    >>> transcript.to_textgrid("hello.TextGrid")
    >>> [each.utterance for each in asr.read_transcripts("runs/demo/dnn/decode/test/hypotheses.jsonl")][:1]
    ['fslt2-...']
    """

    spectrogram: Picture | None = field(default=None, repr=False, compare=False)
    """The picture of samples that were given as an array; None where the audio can be read from its file."""

    @classmethod
    def of(cls, transcript: Transcript, picture: Picture | None = None) -> "Transcription":
        """A transcript of any source."""
        values = {each.name: getattr(transcript, each.name) for each in fields(Transcript)}
        return cls(**values, spectrogram=picture)

    def to_textgrid(self, path: Path | str) -> None:
        """Writes a Praat TextGrid with a tier of phones and, if there are words, one of words."""
        write_textgrid(path, self)

    def write(self, path: Path | str) -> None:
        """Writes the format of the path's suffix: .TextGrid, .ctm or .jsonl. Raises InputError for another suffix.

        >>> transcript.write("hello.ctm")
        """
        suffix = Path(path).suffix
        if (known := WRITERS.get(suffix.lower())) is None:
            raise InputError(f"no format has the suffix {suffix!r}; choose {', '.join(WRITERS)}", path)
        known(path, [self])

    def to_html(self) -> str:
        """An HTML fragment: the spectrogram, if the audio is there, and the phones and words below it."""
        return transcript_html(self, self._picture())

    def _repr_html_(self) -> str:
        return self.to_html()

    def _picture(self) -> Picture | None:
        if self.spectrogram is not None or self.audio is None:
            return self.spectrogram
        try:
            info = audio_info(self.audio)
            rate, shown = info.sample_rate, min(info.samples / info.sample_rate, LONGEST)
            return spectrogram(read_audio(self.audio, rate, 0.0, shown, warnings=[]), rate)
        except InputError:  # the audio has gone since
            return None

    def __str__(self) -> str:
        return " ".join(self.symbols)


def _write_one(write: Callable[[Path | str, Transcript], None]) -> Callable[[Path | str, Iterable[Transcript]], None]:
    def write_first(path: Path | str, transcripts: Iterable[Transcript]) -> None:
        write(path, next(iter(transcripts)))

    return write_first


WRITERS: Mapping[str, Callable[[Path | str, Iterable[Transcript]], object]] = {
    ".textgrid": _write_one(write_textgrid),
    ".ctm": write_ctm,
    ".jsonl": write_transcripts,
}
"""What writes each format that holds a single transcript in one file, by the suffix in lower case."""


def read_transcriptions(path: Path | str) -> list[Transcription]:
    """The transcripts of a JSON Lines file such as transcripts.jsonl.

    Raises InputError with the line and the field.
    """
    return [Transcription.of(transcript) for transcript in read_transcripts(path)]
