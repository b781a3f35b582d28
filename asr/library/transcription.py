"""The transcript of a recording as the library returns it: it writes itself to files and shows itself in notebooks."""

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from asr.audio import audio_info, read_audio
from asr.errors import InputError
from asr.formats.registry import WRITERS, Tier, writer
from asr.formats.transcript import Transcript, read_transcripts
from asr.library.html import transcript_html
from asr.library.spectrogram import LONGEST, Picture, spectrogram

TIERS: tuple[Tier, Tier] = ("phones", "words")
"""The order of the files of a format that has one for each."""


@dataclass(frozen=True, slots=True)
class Transcription(Transcript):
    """A transcript with times and scores, recognised or aligned; `str` of it is its phones.

    >>> transcript = recognizer.transcribe("hello.wav")
    >>> transcript.duration
    2.69...
    >>> transcript.to_textgrid("hello.TextGrid")
    >>> transcript.to_json()["phones"] == asr.read_transcripts("transcripts.jsonl")[0].to_json()["phones"]
    True
    """

    spectrogram: Picture | None = field(default=None, repr=False, compare=False)
    """The picture of samples that were given as an array; None where the audio can be read from its file."""

    @classmethod
    def of(cls, transcript: Transcript, picture: Picture | None = None) -> "Transcription":
        """A transcript of any source."""
        values = {each.name: getattr(transcript, each.name) for each in fields(Transcript)}
        return cls(**values, spectrogram=picture)

    def to_textgrid(self, path: Path | str) -> None:
        """Writes a Praat TextGrid with a tier of phones and, if there are words, one of words. Raises InputError as
        `write`."""
        self.write(path, "textgrid")

    def write(self, path: Path | str, form: str | None = None, tier: Tier = "phones") -> None:
        """Writes a format of `asr transcribe --format`, by default the one that the path's suffix belongs to.

        `tier` is what a format holds that has only one: the phones, or the words of an alignment. Raises InputError for
        an unknown format or suffix, a transcript that the format cannot hold, and a folder that is not there.

        >>> transcript.write("hello.ctm")
        >>> transcript.write("hello.txt", "audacity")
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise InputError("no such folder; create it first", path.parent)
        if form is None:
            form, tier = format_of(path, tier)
        chosen = writer(form)
        chosen.check(self)
        with TemporaryDirectory(dir=path.parent, prefix=".asr-") as folder:
            try:
                written = chosen.write(Path(folder), [self])
            except InputError as error:
                raise InputError(str(error).removeprefix(f"{folder}/"), path) from error
            number = TIERS.index(tier) if len(chosen.files(self.utterance)) > 1 else 0
            if number >= len(written):
                raise InputError(f"the transcript has no {tier}", path)
            written[number].replace(path)

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


def format_of(path: Path, tier: Tier) -> tuple[str, Tier]:
    """The format of the path's suffix, and the tier: that of a suffix of its own, such as .wrd, or else `tier`.

    Raises InputError for a suffix of no format.
    """
    suffixes = _suffixes()
    if (known := suffixes.get(path.suffix.lower())) is None:
        raise InputError(f"no format has the suffix {path.suffix!r}; choose {', '.join(suffixes)}", path)
    name, own = known
    return name, own or tier


@cache
def _suffixes() -> dict[str, tuple[str, Tier | None]]:
    """The first format with each suffix (in lower case), and the tier that alone has it."""
    found: dict[str, tuple[str, Tier | None]] = {}
    for name in WRITERS:
        suffixes = [Path(file).suffix.lower() for file in writer(name).files("x")]
        for tier, suffix in zip(TIERS, suffixes, strict=False):
            found.setdefault(suffix, (name, tier if suffixes.count(suffix) < len(suffixes) else None))
    return found


def read_transcriptions(path: Path | str) -> list[Transcription]:
    """The transcripts of a JSON Lines file such as transcripts.jsonl.

    Raises InputError with the line and the field.
    """
    return [Transcription.of(transcript) for transcript in read_transcripts(path)]
