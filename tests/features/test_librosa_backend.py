"""librosa's features: the same frames as ours, and nearly the same values."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.audio import read_audio
from asr.config import FeaturesConfig
from asr.errors import InputError
from asr.features.frontend import FrontEnd, build_front_end
from asr.features.librosa_backend import LibrosaFrontEnd

SETTINGS: list[dict] = [
    {},
    {"snip_edges": False},
    {"energy": True},
    {"type": "mfcc"},
    {"type": "mfcc", "energy": True, "snip_edges": False},
    {"window": "hamming", "bins": 23, "high_frequency": -500.0},
]


def speech_like(count: int) -> torch.Tensor:
    generator = np.random.default_rng(count)
    envelope = np.abs(np.sin(np.arange(count) / 3000.0))
    return torch.from_numpy((generator.standard_normal(count) * envelope * 0.1).astype(np.float32))


@pytest.mark.parametrize("changes", SETTINGS)
def test_same_frames_and_close_values(changes: dict) -> None:
    config = FeaturesConfig(**changes)
    waveforms = [speech_like(16000), speech_like(9000), speech_like(300)]
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    expected, expected_counts = FrontEnd(config)(padded, lengths)
    computed, counts = LibrosaFrontEnd(config)(padded, lengths)
    assert torch.equal(counts, expected_counts)
    assert computed.shape == expected.shape
    for row, count in enumerate(counts.tolist()):
        assert not computed[row, count:].any()
        if count > 1:
            assert correlation(computed[row, :count], expected[row, :count]) > 0.99


@pytest.mark.corpora
@pytest.mark.parametrize("changes", SETTINGS[:4])
def test_close_on_speech(timit_sample: Path, changes: dict) -> None:
    config = FeaturesConfig(**changes)
    for path in sorted(timit_sample.glob("*/sx*.wav"))[::20]:
        samples = torch.from_numpy(read_audio(path, 16000))
        length = torch.tensor([len(samples)])
        ours, _ = FrontEnd(config)(samples[None], length)
        theirs, _ = LibrosaFrontEnd(config)(samples[None], length)
        assert correlation(ours[0], theirs[0]) > 0.99


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """The correlation of all values, each column centred first: what the two have in common as features."""
    one, other = one - one.mean(dim=0), other - other.mean(dim=0)
    return float((one * other).sum() / (one.norm() * other.norm()))


def test_the_recipe_chooses_the_backend() -> None:
    assert isinstance(build_front_end(FeaturesConfig(backend="librosa")), LibrosaFrontEnd)
    assert isinstance(build_front_end(FeaturesConfig()), FrontEnd)
    with pytest.raises(InputError, match="low_frequency"):
        build_front_end(FeaturesConfig(backend="librosa", low_frequency=9000.0))


def test_without_librosa_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    monkeypatch.delitem(sys.modules, "asr.features.librosa_backend", raising=False)
    with pytest.raises(InputError, match=r'features\.backend: .*pip install "asr-phones\[librosa\]"'):
        build_front_end(FeaturesConfig(backend="librosa"))
