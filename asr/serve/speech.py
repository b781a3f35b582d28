"""What a request asks of the model, done in a thread: read the recording, transcribe or align it, write the result."""

import io
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import numpy as np

from asr.alignment.spoken import lexicon_phones
from asr.audio import read_blocks
from asr.audio.opening import open_audio
from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.export.quiet import quiet
from asr.formats.registry import WRITERS
from asr.formats.transcript import Transcript
from asr.library.transcription import Transcription
from asr.phones.lexicon import Lexicon
from asr.phones.pronounce import Pronouncer, load_pronouncer
from asr.recognizer import Recognizer
from asr.serve.comparison import comparison
from asr.serve.limits import Limits
from asr.serve.request_error import RequestError
from asr.serve.uploads import Upload

JSON = "json"
FORMATS = (JSON, *WRITERS)
MEDIA_TYPES = {JSON: "application/json", "elan": "application/xml", "csv": "text/csv", "webvtt": "text/vtt"}
BLOCK = 30.0
"""Seconds of a recording that are read at a time."""


class Speech:
    """A model with the lexicon that words are aligned with: a file, `cmudict`, or none."""

    def __init__(
        self, recognizer: Recognizer, name: str, limits: Limits, lexicon: str | None = None, g2p: bool = False
    ) -> None:
        """Raises InputError for a lexicon that cannot be read."""
        self.recognizer, self.name, self.limits = recognizer, name, limits
        config = recognizer.bundle.config
        phones, broad = lexicon_phones(config.targets.phone_set), config.corpus.broad_ipa
        self._pronouncer: Pronouncer | None = load_pronouncer([lexicon], phones, g2p, broad) if lexicon else None
        self._lock = Lock()

    def warm_up(self) -> None:
        """Loads and compiles all that requests use, so that the first one is as fast as the others."""
        noise = np.random.default_rng(0).normal(0, 0.01, self.recognizer.sample_rate).astype(np.float32)
        found = self.recognizer.recognize(noise).symbols or list(self.recognizer.bundle.config.targets.phone_set)[:1]
        with quiet():  # noise fits no transcript, which is worth no warning
            self.recognizer.align(noise, self.recognizer.sample_rate, phones=found)

    @property
    def has_words(self) -> bool:
        """Whether words can be aligned, not only phones."""
        return self._pronouncer is not None

    def transcribe(self, upload: Upload) -> Transcript:
        """Raises RequestError for a recording that cannot be used."""
        samples = self.samples(upload)
        try:
            return self.recognizer.recognize(samples, Path(upload.name).stem, upload.name)
        except InputError as error:
            raise RequestError(422, str(error)) from error

    def align(self, upload: Upload) -> Transcript:
        """Raises RequestError for a recording or a text that cannot be used."""
        words, phones = (upload.fields.get(key, "").strip() or None for key in ("words", "phones"))
        if (words is None) == (phones is None):
            raise RequestError(422, "give either words or phones: curl -F words='...' or curl -F phones='...'")
        lexicon = None if words is None else self._lexicon(words)
        samples, rate = self.samples(upload), self.recognizer.sample_rate
        try:
            found = self.recognizer.align(samples, rate, words=words, phones=phones, lexicon=lexicon)
        except InputError as error:
            raise RequestError(422, f"{upload.name}: {error}") from error
        return replace(found, utterance=Path(upload.name).stem, audio=upload.name, spectrogram=None)

    def score(self, upload: Upload) -> bytes:
        """What is recognised beside the words or phones that are said, as `comparison`. Raises RequestError as
        `align`."""
        said, recognised = self.align(upload), self.transcribe(upload)
        try:
            return comparison(said, recognised, self.recognizer.bundle.config.scoring)
        except InputError as error:
            raise RequestError(422, f"{upload.name}: {error}") from error

    def samples(self, upload: Upload) -> Waveform:
        """The recording's samples [S] at the model's rate. Raises RequestError: 415 for what is not audio, 413 for a
        recording that is too long, 422 for one that is damaged."""
        try:
            open_audio(upload.path).__exit__(None, None, None)
        except InputError as error:
            raise RequestError(415, self._named(error, upload)) from error
        rate, blocks, length = self.recognizer.sample_rate, [], 0
        try:
            for block in read_blocks(upload.path, rate, BLOCK, warnings=[]):
                blocks.append(block)
                length += len(block)
                if length > self.limits.seconds * rate:
                    raise RequestError(
                        413,
                        f"{upload.name}: is longer than {self.limits.seconds:g} s; send it in parts, or use "
                        "asr transcribe",
                    )
        except InputError as error:
            raise RequestError(422, self._named(error, upload)) from error
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def wav(self, upload: Upload) -> bytes:
        """The recording as a WAV file of 16 bits at the model's rate. Raises RequestError as `samples`."""
        import soundfile

        file = io.BytesIO()
        soundfile.write(file, self.samples(upload), self.recognizer.sample_rate, "PCM_16", format="WAV")
        return file.getvalue()

    def _lexicon(self, words: str) -> Lexicon:
        """The pronunciations of the words of a text."""
        if self._pronouncer is None:
            raise RequestError(422, "this server has no lexicon for words; give phones, or start it with --lexicon")
        with self._lock:
            pronounced, missing = self._pronouncer(words)
            self._pronouncer.guessed.clear()  # so that texts do not fill the memory
        if missing:
            named = ", ".join(dict.fromkeys(missing))
            raise RequestError(422, f"not in the lexicon: {named}; give phones, or start the server with --g2p")
        return dict(pronounced)

    @staticmethod
    def _named(error: InputError, upload: Upload) -> str:
        return str(error).replace(str(upload.path), upload.name)


def check_format(form: str) -> str:
    """Raises RequestError for an unknown format."""
    if form not in FORMATS:
        raise RequestError(422, f"unknown format {form[:40]!r}; choose {', '.join(FORMATS)}")
    return form


def written(transcript: Transcript, form: str) -> tuple[bytes, str]:
    """A transcript in a format, and its media type. Raises RequestError for one that the format cannot hold."""
    kind = MEDIA_TYPES.get(form, "text/plain")
    if form == JSON:
        return json.dumps(transcript.to_json(), ensure_ascii=False).encode(), kind
    with TemporaryDirectory(prefix="format-") as folder:
        path = Path(folder) / "transcript"
        try:
            Transcription.of(transcript).write(path, form)
        except InputError as error:
            raise RequestError(422, str(error).replace(str(path), transcript.utterance)) from error
        return path.read_bytes(), f"{kind}; charset=utf-8"
