"""Recognition: a long recording scored in pieces gets the scores that it gets whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands.asr_command import Command

from asr.errors import InputError
from asr.formats.transcript import read_transcripts
from asr.recognizer import Recognizer


@pytest.fixture(scope="module")
def tiny(tiny_run: Path) -> Recognizer:
    return Recognizer(tiny_run)


@settings(max_examples=40, deadline=None)
@given(frames=st.integers(1, 60), piece=st.integers(1, 25))
def test_pieces_are_scored_as_the_whole(tiny: Recognizer, frames: int, piece: int) -> None:
    features = np.random.default_rng(frames).standard_normal((frames, 40)).astype(np.float32)
    whole = tiny.scorer.acoustic.log_posteriors(features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asr.acoustics.scorer.PIECE_FRAMES", piece)
        pieces = tiny.scorer.acoustic.log_posteriors(features)
    assert whole.shape == (frames, 39)
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


@pytest.mark.parametrize("samples", [0, 1, 399])
def test_less_than_a_frame_is_named(tiny: Recognizer, samples: int) -> None:
    with pytest.raises(InputError, match=r"short\.wav: is shorter than one frame \(25 ms\)"):
        tiny.recognize(np.zeros(samples, np.float32), audio="short.wav")


@pytest.mark.parametrize("samples", [400, 401, 560, 16000])
def test_silence_of_any_length_has_times_inside_it(tiny: Recognizer, samples: int) -> None:
    transcript = tiny.recognize(np.zeros(samples, np.float32))
    assert transcript.duration == pytest.approx(samples / 16000, abs=1e-4)
    for segment in transcript.phones:
        assert 0 <= segment.start < segment.end <= transcript.duration


def test_scores_that_are_no_numbers_name_the_file(tiny_run: Path) -> None:
    recognizer = Recognizer(tiny_run)
    with torch.no_grad():
        next(recognizer.scorer.acoustic.models[0].parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match=r"^/somewhere/one\.wav: acoustic scores are not finite"):
        recognizer.recognize(np.zeros(8000, np.float32), "one", "/somewhere/one.wav")


def test_recognises_what_the_decoding_stage_decodes(tiny_recipe: Path, tmp_path: Path, asr_command: Command) -> None:
    """Where each recording is normalised by itself, both ways must give the same."""
    asr_command("run", tiny_recipe, "--out", tmp_path, "--set", "features.cmvn=utterance")
    recognizer = Recognizer(tmp_path)
    for decoded in read_transcripts(tmp_path / "decode/test/hypotheses.jsonl"):
        spoken = recognizer.transcribe(decoded.audio or "")
        assert [(item.phone, item.start, item.end) for item in spoken.phones] == [
            (item.phone, item.start, item.end) for item in decoded.phones
        ]
        assert [item.score for item in spoken.phones] == pytest.approx(
            [item.score for item in decoded.phones], abs=1e-3
        )
