"""Scores do not depend on the precision in which this process has trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.small_bundle import small_bundle

from asr.acoustics.scorer import AcousticScorer


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
