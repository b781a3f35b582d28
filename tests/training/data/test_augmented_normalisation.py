"""Which statistics normalise changed speech."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.corpora.augmented_speech import EVERYTHING, epoch_speech, recipe

from asr.features.dataset import Dataset
from asr.features.normalize import model_input


@pytest.mark.parametrize("cmvn", ["speaker", "utterance"])
def test_changed_speech_is_normalised_by_its_own_statistics(corpus: Path, tmp_path: Path, cmvn: str) -> None:
    config = recipe(EVERYTHING, {"cmvn": cmvn})
    speech = epoch_speech(config, corpus, tmp_path, edge=0)(1)
    owners = speech.utterances if cmvn == "utterance" else [name.split("-")[0] for name in speech.utterances]
    owner = np.repeat(owners, speech.lengths.numpy())
    for name in set(owners):
        rows = speech.rows[torch.from_numpy(owner == name)]
        assert rows.mean(dim=0).abs().max() < 1e-4
        assert (rows.std(dim=0, correction=0) - 1).abs().max() < 1e-4


def test_only_recordings_like_the_others_share_a_speaker_s_statistics(corpus: Path, tmp_path: Path) -> None:
    """Those in another room are normalised alone, and the others as if there were no such recordings."""
    config = recipe({"gain": {"probability": 0.5, "clipping": 0}}, {"cmvn": "speaker"})
    make = epoch_speech(config, corpus, tmp_path, edge=0)
    epoch = next(epoch for epoch in range(9) if 2 < make.draws(epoch).apart.sum() < 5)
    speech, apart = make(epoch), make.draws(epoch).apart
    whole = {speaker: [] for speaker in ("spk0", "spk1")}
    for number, (start, length) in enumerate(zip(speech.starts.tolist(), speech.lengths.tolist(), strict=True)):
        rows = speech.rows[start : start + length]
        if apart[number]:
            assert torch.allclose(rows.mean(dim=0), torch.zeros(20), atol=1e-4)
        else:
            whole[make.archive.speakers[number]].append(rows)
    for rows in whole.values():
        assert not rows or torch.allclose(torch.cat(rows).mean(dim=0), torch.zeros(20), atol=1e-4)


def test_global_statistics_stay_those_of_the_unchanged_training_set(corpus: Path, tmp_path: Path) -> None:
    config = recipe({"noise": {"probability": 1, "snr": [0, 0]}}, {"cmvn": "global"})
    make = epoch_speech(config, corpus, tmp_path, edge=0)
    speech = make(0)
    statistics = Dataset(corpus, tmp_path).split("train", config.features).cmvn
    draws = make.draws(0)
    static = make.static_features(np.array([3]), draws)[0].numpy()
    expected = model_input(static, None, statistics, config.features)
    start = int(speech.starts[3])
    assert np.allclose(speech.rows[start : start + len(expected)], expected, atol=1e-4)
