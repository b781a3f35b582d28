"""The scores of a long recording, piece by piece."""

from pathlib import Path

import numpy as np
import pytest
from support.models.small_bundle import small_bundle

from asr.acoustics.waveform_scorer import WaveformScorer


@pytest.mark.parametrize("step", [1, 480])
def test_the_frames_of_pieces_are_those_of_the_whole(tmp_path: Path, step: int) -> None:
    """Where nothing is normalised: what is left is where the cuts are."""
    features = {"cmvn": "none"}
    scorer = WaveformScorer(small_bundle(tmp_path, targets={"phone_set": "timit39", "states": 1}, features=features))
    waveform = np.random.default_rng(0).normal(0, 0.1, 16000 * 100 + 123).astype(np.float32)
    pieces = list(scorer.pieces([waveform[:700_000], waveform[700_000:]], step))
    assert len(pieces) > 1
    assert all(each.piece.begin % step == 0 for each in pieces)
    found = np.concatenate([each.log_posteriors[each.begin : each.end] for each in pieces])
    np.testing.assert_allclose(found, scorer.log_posteriors(waveform), atol=1e-3)
