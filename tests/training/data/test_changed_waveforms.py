"""Waveforms of an epoch: each change that was drawn is made, in the order in which recordings come about."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from support.corpora.augmented_speech import CPU, RATE, recipe
from torch import Tensor

from asr.corpora.cuts import read_cuts
from asr.features.augmentation.speed import speed_factor
from asr.features.extract import read_cut
from asr.training.data.changed_waveforms import ChangedWaveforms
from asr.training.data.draws import Draws, draw
from asr.training.data.waveforms import Waveforms

ALWAYS = {
    "reverberation": {"probability": 1},
    "gain": {"probability": 1},
    "channel": {"probability": 1, "kinds": ["telephone"]},
}


def changed(corpus: Path, augmentation: dict[str, object], at_once: bool | None = None) -> tuple[list[Tensor], Draws]:
    """Each utterance [S] as drawn for epoch 0, without pauses."""
    config, waveforms = recipe(augmentation), Waveforms(RATE, CPU, True)
    for cut in read_cuts(corpus / "train.cuts.jsonl.gz"):
        waveforms.add(cut, read_cut(cut, RATE))
    number = len(waveforms.lengths)
    draws = draw(config.augmentation, config.seed, 0, number)
    samples, lengths = ChangedWaveforms(config, waveforms, [speed_factor(1.0)], at_once)(np.arange(number), draws, None)
    return [row[:length] for row, length in zip(samples, lengths, strict=True)], draws


@pytest.mark.parametrize("name", ALWAYS)
def test_what_is_drawn_is_done(corpus: Path, name: str) -> None:
    plain, _ = changed(corpus, {})
    for before, after in zip(plain, changed(corpus, {name: ALWAYS[name]})[0], strict=True):
        assert not torch.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize("color", ["white", "pink", "babble"])
@pytest.mark.parametrize("sections", [{}, {"reverberation": ALWAYS["reverberation"]}], ids=["plain", "room"])
def test_noise_is_added_after_the_room_where_it_is_drawn(corpus: Path, color: str, sections: dict[str, object]) -> None:
    plain, _ = changed(corpus, sections)
    noisy, draws = changed(corpus, sections | {"noise": {"color": color, "probability": 0.5}})
    assert 0 < np.isnan(draws.snr).sum() < len(plain)
    for before, after, snr in zip(plain, noisy, draws.snr.tolist(), strict=True):
        if math.isnan(snr):
            assert torch.equal(before, after)
        else:
            noise = (after - before).square().mean()
            assert 10 * torch.log10(before.var(correction=0) / noise) == pytest.approx(snr, abs=0.01)


@pytest.mark.parametrize("color", ["any", "babble"])
def test_a_batch_at_once_has_the_same_draws(corpus: Path, color: str) -> None:
    everything = {"noise": {"color": color, "probability": 0.7, "voices": 3}, "reverberation": {"probability": 0.6}}
    alone, together = (changed(corpus, everything, at_once)[0] for at_once in (False, True))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)


def test_babble_is_of_other_utterances(corpus: Path) -> None:
    plain, _ = changed(corpus, {})
    noisy, _ = changed(corpus, {"noise": {"color": "babble", "probability": 1, "voices": 2}})
    for before, after in zip(plain, noisy, strict=True):
        noise, own = (torch.fft.rfft(each / each.norm()) for each in (after - before, before))
        assert torch.fft.irfft(noise * own.conj(), len(before)).abs().max() < 0.4
