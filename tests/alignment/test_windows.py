"""Alignment of long recordings in windows: the same as of the whole, in bounded memory."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.models.small_bundle import peaked, small_bundle

from asr.acoustics.pieces import ScoredPiece
from asr.alignment.aligned import Aligned, apart, concatenated
from asr.alignment.aligner import Aligner, AligningModel
from asr.alignment.forced_alignment import ForcedAlignment
from asr.alignment.spoken import Spoken, exact_phones, spoken_words
from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.features.pieces import cut_at_pauses
from asr.formats.transcript import Transcript
from asr.phones.lexicon import Lexicon
from asr.phones.phone_set import load_phone_set

PHONES = load_phone_set("timit39")
SPOKEN = [phone for phone in PHONES if phone not in PHONES.unspoken]
RATE, SHIFT = 16000, 160
SCALE = 64
"""A sample is a class divided by this: the audio of these tests says what its frames are."""


class SpokenNumbers(AligningModel):
    """A model that recognises the class that the first sample of each frame says."""

    longest = 0

    def scores(self, samples: Waveform) -> npt.NDArray[np.float32]:
        labels = np.rint(samples[: len(samples) // SHIFT * SHIFT : SHIFT] * SCALE).astype(int)
        return peaked(labels.tolist(), len(PHONES), 0.9)

    def pieces(self, blocks: Iterable[Waveform], step: int) -> Iterator[ScoredPiece]:
        for piece in cut_at_pauses(blocks, RATE, step):
            begin, end = ((place - piece.first) // SHIFT for place in (piece.begin, piece.end))
            yield ScoredPiece(piece, self.scores(piece.samples), piece.first // SHIFT, begin, end)

    def align(
        self, log_posteriors: npt.NDArray[np.float32], spoken: Spoken, open_from: int | None = None
    ) -> ForcedAlignment:
        self.longest = max(self.longest, len(log_posteriors))
        return super().align(log_posteriors, spoken, open_from)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpokenNumbers:
    """With windows and pieces that are a quarter of their usual length."""
    for name, seconds in {"WHOLE": 15.0, "SHORTEST": 4.0, "LONGEST": 7.5}.items():
        monkeypatch.setattr(f"asr.features.pieces.{name}", seconds)
    for name, seconds in {"SHORTEST": 5.0, "LONGEST": 15.0}.items():
        monkeypatch.setattr(f"asr.alignment.windows.{name}", seconds)
    return SpokenNumbers(small_bundle(tmp_path, targets={"phone_set": "timit39", "states": 1}))


def _phones(count: int, seed: int) -> list[str]:
    return np.random.default_rng(seed).choice(SPOKEN, count).tolist()


def _audio(phones: list[str], seed: int, errors: float = 0.2) -> Waveform:
    """Samples [S] of phones of 5 to 12 frames, some of whose frames say another class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([PHONES.numbers[phone] for phone in phones], rng.integers(5, 13, len(phones)))
    wrong = rng.random(len(labels)) < errors
    labels[wrong] = rng.integers(0, len(PHONES), wrong.sum())
    return np.repeat(labels / SCALE, SHIFT).astype(np.float32)


def _times(transcript: Transcript) -> list[float]:
    return [segment.start or 0.0 for segment in transcript.phones]


def _whole(model: SpokenNumbers, audio: Waveform, spoken: Spoken) -> Transcript:
    said = Transcript("u", duration=len(audio) / RATE)
    return Aligner([model]).align_scored(said, spoken, [model.scores(audio)])


def _align(models: list[SpokenNumbers], samples: Waveform, spoken: Spoken, audio: str | None = None) -> Transcript:
    return Aligner(models).align_blocks(lambda: [samples], spoken, audio=audio)


def test_phones_are_aligned_as_in_one_piece(model: SpokenNumbers) -> None:
    phones = _phones(700, 1)
    audio = _audio(phones, 2)
    spoken = exact_phones(phones, "timit39")
    whole = _whole(model, audio, spoken)
    model.longest = 0
    blocks = [audio[start : start + 30_000] for start in range(0, len(audio), 30_000)]
    found = Aligner([model]).align_blocks(lambda: blocks, spoken)
    assert len(audio) / RATE > 50
    assert model.longest * SHIFT / RATE <= 18
    assert found.symbols == phones
    assert found.duration == pytest.approx(len(audio) / RATE, abs=1e-4)
    assert _times(found) == pytest.approx(_times(whole), abs=0.002)
    assert np.array(found.intervals) == pytest.approx(np.array(whole.intervals), abs=0.01)
    assert [segment.score for segment in found.phones] == pytest.approx([each.score for each in whole.phones], abs=0.02)
    assert found.fit == pytest.approx(whole.fit or 0, abs=0.005)


def test_words_and_the_pauses_between_them_are_aligned_as_in_one_piece(model: SpokenNumbers) -> None:
    rng = np.random.default_rng(4)
    lexicon: Lexicon = {f"w{number}": [tuple(rng.choice(["aa", "iy", "s", "n", "eh", "z", "m", "l"], 5)) for _ in range(2)] for number in range(60)}  # fmt: skip  # noqa: E501
    words = rng.choice(list(lexicon), 130).tolist()
    phones = []
    for word in words:
        phones += [*lexicon[word][rng.integers(2)], *(["sil"] if rng.random() < 0.2 else [])]
    audio = _audio(phones, 5)
    spoken = spoken_words(" ".join(words), lexicon, "timit39")
    whole, found = _whole(model, audio, spoken), _align([model], audio, spoken)
    assert [word.word for word in found.words] == words
    assert found.symbols == whole.symbols
    spans = [[(word.start, word.end) for word in each.words] for each in (found, whole)]
    assert np.array(spans[0]) == pytest.approx(np.array(spans[1]), abs=0.002)


def test_boundaries_never_go_back_where_two_parts_meet() -> None:
    def part(*times: float) -> Aligned:
        count = len(times) - 1
        return Aligned(np.arange(count), np.arange(count), np.array([times] * 3), np.ones(count), np.ones((2, count)))

    assert concatenated([part(0, 1, 2), part(0.9, 1.5, 3)]).times[0].tolist() == [0, 1, 1, 1.5, 3]


def test_several_models_agree_with_each_alone(model: SpokenNumbers) -> None:
    phones = _phones(400, 1)
    audio, spoken = _audio(phones, 2), exact_phones(phones, "timit39")
    one, two = (_align(models, audio, spoken) for models in ([model], [model, model]))
    assert _times(one) == _times(two)


def test_speech_that_is_not_in_the_transcript_does_not_move_the_rest(model: SpokenNumbers) -> None:
    """And the other way round: what was not said is squeezed in between its neighbours."""
    phones, other = _phones(600, 1), _phones(150, 7)
    before, between, after = _audio(phones[:300], 2), _audio(other, 3), _audio(phones[300:], 4)
    spoken = exact_phones(phones, "timit39")
    apart = [*_times(_whole(model, before, exact_phones(phones[:300], "timit39")))]
    apart += [
        time + (len(before) + len(between)) / RATE
        for time in _times(_whole(model, after, exact_phones(phones[300:], "timit39")))
    ]
    found = _align([model], np.concatenate([before, between, after]), spoken)
    assert (np.abs(np.array(_times(found)) - apart) < 0.02).mean() > 0.96
    audio = np.concatenate([before, after])
    longer = exact_phones([*phones[:300], *other, *phones[300:]], "timit39")
    found = _align([model], audio, longer)
    later = [time - len(between) / RATE for time in apart[300:]]
    assert (np.abs(np.array(_times(found))[450:] - later) < 0.02).mean() > 0.9


def test_a_long_transcript_of_other_speech_is_said(model: SpokenNumbers, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        audio = _audio(_phones(300, 1), 2)
        _align([model], audio, exact_phones(_phones(300, 9), "timit39"), "talk.wav")
        assert [record.getMessage()[:42] for record in caplog.records] == ["talk.wav: its transcript does not seem to "]
        caplog.clear()
        _align([model], audio, exact_phones(_phones(300, 1), "timit39"), "talk.wav")
        assert caplog.records == []


def test_more_phones_than_the_audio_has_frames_are_refused(model: SpokenNumbers) -> None:
    audio = _audio(_phones(300, 1), 2)
    with pytest.raises(InputError, match=r"^from \d+ s on: \d+ frames are too few for its phones"):
        _align([model], audio, exact_phones(_phones(5_000, 1), "timit39"))


def test_a_phone_without_length_gets_a_millisecond() -> None:
    middle = np.array([0.0, 0.1, 0.1, 0.1, 0.3, 0.3])
    times = apart(np.stack([middle, middle - 0.05, middle + 0.05]))
    assert times[0].tolist() == [0.0, 0.1, 0.101, 0.102, 0.299, 0.3]
    assert (times[1] <= times[0]).all()
    assert (times[0] <= times[2]).all()


def test_times_that_are_apart_are_only_rounded() -> None:
    times = np.array([[0.0, 0.10004, 0.10018], [0.0, 0.05, 0.1], [0.1, 0.15, 0.2]])
    assert apart(times).tolist() == times.round(4).tolist()
