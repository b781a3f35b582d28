"""Settings of augmentation: off by default, and contradictions are refused."""

import pytest
from pydantic import ValidationError
from support.corpora.augmented_speech import recipe

from asr.config import AugmentationConfig


def test_off_by_default() -> None:
    config = recipe({})
    assert config.augmentation == AugmentationConfig()
    assert not config.augmentation.changes_waveforms
    assert config.augmentation.spec_augment is None


@pytest.mark.parametrize(
    ("augmentation", "features", "message"),
    [
        ({"vtlp": [1.1, 0.9]}, {}, "vtlp"),
        ({"noise": {"snr": [20, 10]}}, {}, "noise.snr"),
        ({"reverberation": {"t60": [0.5, 0.2]}}, {}, "reverberation.t60"),
        ({"pauses": {"length": [1, 0.5]}}, {}, "pauses.length"),
        ({"channel": {"kinds": []}}, {}, "channel.kinds"),
        ({"channel": {}}, {"sample_rate": 22050}, "mp3 and opus need a features.sample_rate of 8000"),
        ({"speed": []}, {}, "speed"),
        ({"speed": [0.0]}, {}, "speed"),
        ({"vtlp": [0.9, 1.1]}, {"backend": "librosa"}, "features.backend: torch"),
        ({"spec_augment": {}}, {"cmvn": "none"}, "features.cmvn"),
        ({"spec_augment": {}}, {"type": "mfcc"}, "frequency_masks must be 0"),
        ({"spec_augment": {"frequency_width": 20}}, {}, "less than features.bins"),
    ],
)
def test_contradictions_are_named(augmentation: dict[str, object], features: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recipe(augmentation, features)
