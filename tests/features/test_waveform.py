"""Waveforms as features."""

import numpy as np
import pytest
import torch

from asr.acoustics.frame_times import FrameTimes
from asr.config import CorpusConfig, FeaturesConfig, RecipeConfig
from asr.features.frontend import build_front_end
from asr.features.normalize import recording_input
from asr.training.flat_start import speech_span

WAVEFORM = FeaturesConfig(type="waveform")


def test_the_frames_one_after_another_are_the_waveform() -> None:
    front_end = build_front_end(WAVEFORM)
    waveforms = torch.rand(3, 1000) - 0.5
    lengths = torch.tensor([1000, 159, 480])
    frames, counts = front_end(waveforms, lengths)
    assert frames.shape == (3, 6, WAVEFORM.dim)
    assert counts.tolist() == [6, 0, 3] == [front_end.frame_count(length) for length in lengths.tolist()]
    for row, count, waveform in zip(frames, counts, waveforms, strict=True):
        assert torch.equal(row[:count].flatten(), waveform[: 160 * count])
        assert not row[count:].any()


def test_a_frame_stands_for_its_own_samples() -> None:
    config = FeaturesConfig(type="waveform", frame_shift=20)
    assert (config.frame_length, config.static_dim, config.cmvn) == (20, 320, "none")
    assert FrameTimes.of(config) == FrameTimes(0.0, 0.02)


def test_a_recording_is_left_as_it_is() -> None:
    frames = np.random.default_rng(0).normal(size=(7, 160)).astype(np.float32)
    frames[2] = 0
    np.testing.assert_array_equal(recording_input(frames, None, WAVEFORM), frames)


def test_a_flat_start_finds_the_loud_frames() -> None:
    frames = np.random.default_rng(0).normal(size=(100, 160)).astype(np.float32)
    frames[:30] *= 0.01
    frames[80:] *= 0.01
    assert speech_span(frames, WAVEFORM) == pytest.approx((0.3, 0.8))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cmvn": "speaker"}, "cmvn must be none with type: waveform"),
        ({"frame_length": 25}, r"frame_length must be 10\.0 with type: waveform"),
        ({"deltas": 1}, "deltas must be 0"),
        ({"energy": True}, "energy must be false"),
        ({"dither": 1.0}, r"dither must be 0\.0"),
    ],
)
def test_settings_that_a_waveform_does_not_have(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeaturesConfig.model_validate({"type": "waveform", **settings})


def test_settings_survive_being_written_and_read() -> None:
    assert FeaturesConfig.model_validate(WAVEFORM.model_dump()) == WAVEFORM


def test_mel_filters_cannot_be_warped_or_masked() -> None:
    def recipe(**augmentation: object) -> RecipeConfig:
        return RecipeConfig.model_validate(
            {"corpus": CorpusConfig(name="demo"), "features": WAVEFORM, "augmentation": augmentation}
        )

    assert recipe(spec_augment={"time_masks": 2, "frequency_masks": 0}).augmentation.spec_augment is not None
    with pytest.raises(ValueError, match="frequency_masks must be 0 unless"):
        recipe(spec_augment={"frequency_masks": 1})
    with pytest.raises(ValueError, match="vtlp needs features"):
        recipe(vtlp=[0.9, 1.1])
