"""What is drawn for each epoch: spread over what was asked for, and each change by itself."""

import numpy as np
import pytest
from support.corpora.augmented_speech import EVERYTHING

from asr.config import AugmentationConfig
from asr.training.data.draws import draw


def test_draws_are_spread_over_what_was_asked_for() -> None:
    config = AugmentationConfig.model_validate(EVERYTHING)
    draws = draw(config, seed=-3, epoch=1, utterances=30000)
    assert np.bincount(draws.speed) / 30000 == pytest.approx(np.full(3, 1 / 3), abs=0.02)
    assert (draws.warp.min(), draws.warp.max(), len(np.unique(draws.warp))) == (0.9, 1.1, 21)
    assert np.isnan(draws.snr).mean() == pytest.approx(0.5, abs=0.02)
    assert np.nanmin(draws.snr) >= 10
    assert np.nanmax(draws.snr) <= 30
    assert len(np.unique(draws.seed)) == 30000
    # Of an utterance's number, not of how many there are.
    assert (draw(config, -3, 1, 10).warp == draws.warp[:10]).all()


def test_rooms_levels_channels_and_pauses_are_spread_over_what_was_asked_for() -> None:
    sections = {
        "reverberation": {"probability": 0.4, "t60": [0.2, 0.5], "direct": [-1, 8]},
        "noise": {"probability": 0.5, "color": "any"},
        "gain": {"probability": 0.6, "decibels": [-20, 3], "clipping": 0.25, "overdrive": [1, 9]},
        "channel": {"probability": 0.3, "kinds": ["narrow", "mp3"]},
        "pauses": {"probability": 0.2, "length": [0.1, 0.6], "zeros": 0.4, "level": [-80, -50]},
    }
    draws = draw(AugmentationConfig.model_validate(sections), seed=1, epoch=0, utterances=30000)
    share = pytest.approx
    assert (~np.isnan(draws.t60)).mean() == share(0.4, abs=0.01)
    assert np.array_equal(np.isnan(draws.t60), np.isnan(draws.direct))
    assert (np.nanmin(draws.t60), np.nanmax(draws.t60)) == share((0.2, 0.5), abs=0.01)
    assert (np.nanmin(draws.direct), np.nanmax(draws.direct)) == share((-1, 8), abs=0.05)
    assert np.bincount(draws.color) / 30000 == share(np.full(3, 1 / 3), abs=0.01)
    assert (~np.isnan(draws.gain)).mean() == share(0.45, abs=0.01)
    assert (~np.isnan(draws.peak)).mean() == share(0.15, abs=0.01)
    assert not (~np.isnan(draws.gain) & ~np.isnan(draws.peak)).any()
    assert (np.nanmin(draws.peak), np.nanmax(draws.peak)) == share((1, 9), abs=0.05)
    assert np.bincount(draws.channel + 1) / 30000 == share([0.7, 0.15, 0.15], abs=0.01)
    changed = ~np.isnan([draws.snr, draws.t60, draws.gain, draws.peak]).all(axis=0) | (draws.channel >= 0)
    assert np.array_equal(draws.apart, changed)
    pauses = draws.pauses
    assert pauses is not None
    inserted = pauses.lengths > 0
    assert inserted.mean(axis=0) == share(np.full(3, 0.2), abs=0.01)
    assert (pauses.lengths[inserted].min(), pauses.lengths.max()) == share((0.1, 0.6), abs=0.01)
    noisy = np.isfinite(pauses.levels)
    assert noisy.mean() == share(0.6, abs=0.01)
    assert (pauses.levels[noisy].min(), pauses.levels[noisy].max()) == share((-80, -50), abs=0.05)
    assert pauses.levels[noisy].mean() == share(-65, abs=0.2)


def test_each_change_is_drawn_by_itself() -> None:
    """A recipe with one more kind of change draws the others as before."""
    plain = {"speed": [0.9, 1.0, 1.1], "vtlp": [0.9, 1.1], "noise": {"probability": 0.5}}
    before = draw(AugmentationConfig.model_validate(plain), seed=5, epoch=2, utterances=50)
    after = draw(AugmentationConfig.model_validate(EVERYTHING | plain), seed=5, epoch=2, utterances=50)
    for name in ("speed", "warp", "snr", "seed", "color"):
        assert np.array_equal(getattr(before, name), getattr(after, name), equal_nan=True)
    assert before.pauses is None
    assert before.apart.tolist() == (~np.isnan(before.snr)).tolist()
    one = np.random.default_rng([5, 2]).random((50, 5))  # what recipes of version 0.1 draw
    assert before.speed.tolist() == (one[:, 0] * 3).astype(int).tolist()
    assert before.snr[one[:, 2] < 0.5].tolist() == (10 + 20 * one[one[:, 2] < 0.5, 3]).tolist()
