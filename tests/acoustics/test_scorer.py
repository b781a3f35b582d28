"""Scores do not depend on the precision in which this process has trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.models.small_bundle import small_bundle

from asr.acoustics.scorer import AcousticScorer
from asr.config import TimingConfig
from asr.models import build, timing_network


@pytest.mark.usefixtures("tf32")
def test_scores_are_in_single_precision(tmp_path: Path) -> None:
    scorer = AcousticScorer(small_bundle(tmp_path))
    seen = []
    for model in scorer.models:
        model.register_forward_hook(
            lambda *_: seen.append((torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32))
        )
    features = np.zeros((20, scorer.features.dim), dtype=np.float32)
    scorer.log_posteriors(features)
    scorer.batch([features])
    assert seen == [(False, False)] * 2
    assert torch.backends.cudnn.allow_tf32


def test_a_long_recording_has_the_scores_of_both_outputs_in_pieces_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = small_bundle(tmp_path)
    bundle.model.timing = build(timing_network(TimingConfig(width=8)), bundle.config.features.dim, 5).eval()
    scorer = AcousticScorer(bundle)
    features = np.random.default_rng(0).normal(size=(50, scorer.features.dim)).astype(np.float32)
    whole = scorer.scored(features)
    monkeypatch.setattr("asr.acoustics.scorer.PIECE_FRAMES", 16)
    pieces = scorer.scored(features)
    assert whole.timing is not None
    assert pieces.timing is not None
    np.testing.assert_allclose(pieces.log_posteriors, whole.log_posteriors, rtol=0, atol=1e-5)
    np.testing.assert_allclose(pieces.timing, whole.timing, rtol=0, atol=1e-5)
