"""Normalisation that silence, loudness and the length of a recording do not change."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.config import FeaturesConfig
from asr.features.cmvn import Cmvn, Statistics
from asr.features.normalize import (
    counted,
    loudness,
    model_input,
    recording_input,
    smoothed,
    speech_weights,
    utterance_statistics,
)

ZEROS = -15.9424
"""The log energy of digital silence."""
BINS = 5
ROBUST = FeaturesConfig(bins=BINS, cmvn_frames="speech", cmvn_prior=100, floor=-3)
MFCC = FeaturesConfig(type="mfcc", bins=23, cepstra=BINS, cmvn_frames="speech", cmvn_prior=100, floor=-3)


def speech(frames: int, seed: int = 0, level: float = 15.0) -> np.ndarray:
    """Log mel energies [frames, BINS]: two seconds of background, then speech that is 43 dB louder."""
    rng = np.random.default_rng(seed)
    background = rng.normal(level - 10, 0.5, (20, BINS))
    return np.concatenate([background, rng.normal(level, 1.5, (frames, BINS))]).astype(np.float32)


def training_set() -> Cmvn:
    """Three speakers of different loudness."""
    cmvn = Cmvn()
    for number, level in enumerate((12.0, 15.0, 18.0)):
        cmvn.add(f"s{number}", Statistics.of(speech(2000, number, level)))
    return Cmvn(prior=cmvn.typical())


@given(before=st.integers(0, 3000), after=st.integers(0, 3000), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_digital_silence_changes_nothing_for_the_speech(before: int, after: int, seed: int) -> None:
    said = speech(200, seed)
    padded = np.concatenate([np.full((count, BINS), ZEROS, np.float32) for count in (before, after)])
    padded = np.concatenate([padded[:before], said, padded[before:]])
    alone = model_input(said, None, training_set(), ROBUST)
    inside = model_input(padded, None, training_set(), ROBUST)[before : before + len(said)]
    assert np.allclose(alone, inside, atol=1e-3)


@given(before=st.integers(0, 500), inside=st.integers(0, 500), after=st.integers(0, 500), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
@pytest.mark.parametrize("cmvn", ["none", "utterance", "speaker", "global"])
def test_without_a_floor_digital_silence_is_as_quiet_as_the_quietest_moment(
    cmvn: str, before: int, inside: int, after: int, seed: int
) -> None:
    config = FeaturesConfig.model_validate({"bins": BINS, "cmvn": cmvn})
    known = Cmvn({"s": Statistics.of(speech(500, 1))})
    said, cut = speech(200, seed), 100
    zeros = [np.full((count, BINS), ZEROS, np.float32) for count in (before, inside, after)]
    padded = np.concatenate([zeros[0], said[:cut], zeros[1], said[cut:], zeros[2]])
    alone, among = recording_input(said, known, config), recording_input(padded, known, config)
    silent = np.all(padded == np.float32(ZEROS), axis=1)
    assert np.allclose(among[~silent], alone, atol=1e-5)
    assert np.allclose(among[silent], alone.min(axis=0), atol=1e-5)
    assert np.array_equal(alone, model_input(said, None, known, config))


def test_nothing_but_digital_silence_is_a_finite_input() -> None:
    config = FeaturesConfig(bins=BINS)
    zeros = np.full((50, BINS), ZEROS, np.float32)
    assert np.array_equal(recording_input(zeros, None, config), model_input(zeros, None, None, config))


@given(louder=st.floats(-8, 4), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_recording_that_is_louder_gives_the_same_input(louder: float, seed: int) -> None:
    said, cmvn = speech(120, seed), training_set()
    assert np.allclose(
        model_input(said, None, cmvn, ROBUST),
        model_input(said + np.float32(louder), None, cmvn, ROBUST),
        atol=1e-3,
    )


def test_background_counts_little_and_speech_fully() -> None:
    weights = speech_weights(torch.from_numpy(speech(200))[None], ROBUST)[0].numpy()
    assert weights[:20].max() < 0.01
    assert np.median(weights[20:]) > 0.99


def test_padding_does_not_count() -> None:
    said = torch.from_numpy(speech(100))
    padded = torch.cat([said, torch.full((50, BINS), 99.0)])[None]
    inside = (torch.arange(170) < 120)[None]
    weights = speech_weights(padded, ROBUST, inside)
    assert torch.allclose(weights[:, :120], speech_weights(said[None], ROBUST))
    assert float(weights[:, 120:].sum()) == 0.0


def test_digital_silence_alone_is_at_the_floor() -> None:
    assert np.all(model_input(np.full((50, BINS), ZEROS, np.float32), None, training_set(), ROBUST) == -3)


def test_nothing_lies_below_the_floor() -> None:
    mixed = np.concatenate([speech(80), np.full((9, BINS), ZEROS, np.float32)])
    made = model_input(mixed, None, training_set(), ROBUST)
    assert made.min() == -3
    assert np.all(made[-9:] == -3)


@pytest.mark.parametrize("config", [ROBUST, MFCC], ids=["fbank", "mfcc"])
def test_the_prior_weighs_less_the_more_a_speaker_says(config: FeaturesConfig) -> None:
    prior = training_set().prior
    assert prior is not None
    far = []
    for frames in (10, 100, 10_000):
        own = Statistics.of(np.random.default_rng(1).normal(5, 3, (frames, BINS)).astype(np.float32))
        mixed = smoothed(own, prior, config)
        share = 100 / (frames + 100)
        assert np.allclose(mixed.deviation**2, (1 - share) * own.deviation**2 + share * prior.deviation**2)
        far.append(np.abs(mixed.mean - own.mean).max())
    assert far[0] > far[1] > far[2]


def test_the_prior_leaves_the_loudness_to_the_speaker() -> None:
    prior = training_set().prior
    own = Statistics.of(speech(30, 3, 9.0))
    assert np.isclose(smoothed(own, prior, ROBUST).mean.mean(), own.mean.mean())
    assert np.isclose(smoothed(own, prior, MFCC).mean[0], own.mean[0])
    assert not np.isclose(smoothed(own, prior, MFCC).mean[1], own.mean[1])


def test_without_a_frame_of_speech_the_prior_alone_counts() -> None:
    prior = training_set().prior
    assert prior is not None
    own = counted(np.full((50, BINS), ZEROS, np.float32), ROBUST)
    assert np.allclose(smoothed(own, prior, ROBUST).mean, prior.mean)
    assert np.allclose(smoothed(own, prior, ROBUST).deviation, prior.deviation)


def test_a_column_of_energy_is_the_loudness() -> None:
    config = FeaturesConfig(bins=BINS, energy=True)
    frames = np.random.default_rng(0).normal(size=(7, 1 + BINS)).astype(np.float32)
    assert np.array_equal(loudness(torch.from_numpy(frames), config), frames[:, 0])


def test_a_prior_must_be_there() -> None:
    with pytest.raises(ValueError, match="cmvn_prior"):
        model_input(speech(10), None, Cmvn(), ROBUST)


def test_a_typical_speaker_spreads_like_one_speaker_not_like_all() -> None:
    cmvn = Cmvn()
    for number, level in enumerate((5.0, 25.0)):
        cmvn.add(
            str(number), Statistics.of(np.random.default_rng(number).normal(level, 2, (5000, 3)).astype(np.float32))
        )
    assert np.allclose(cmvn.typical().mean, 15, atol=0.2)
    assert np.allclose(cmvn.typical().deviation, 2, atol=0.1)
    assert (cmvn.total().deviation > 9).all()
    again = Cmvn({"": cmvn.typical()})
    assert np.allclose(again.typical().deviation, cmvn.typical().deviation)


def test_a_speaker_s_frames_are_counted_as_those_of_an_utterance() -> None:
    said, cmvn = speech(60), training_set()
    cmvn.add("a", utterance_statistics(said, None, None, ROBUST.model_copy(update={"cmvn_prior": 0.0})))
    known = model_input(said, "a", cmvn, ROBUST)
    assert np.allclose(known, model_input(said, None, cmvn, ROBUST))
