"""The posteriors of a split, together and alone."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.acoustics.bundle import read_bundle
from asr.acoustics.scored_split import scored_split
from asr.acoustics.scorer import AcousticScorer
from asr.features.dataset import Dataset


class Watched(AcousticScorer):
    """Notes the lengths of the utterances that it scores together, and PyTorch's threads for each alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(read_bundle(folder, torch.device("cpu")))
        self.batches: list[list[int]] = []
        self.threads: list[int] = []

    def batch(self, features):
        self.batches.append([len(each) for each in features])
        return super().batch(features)

    def log_posteriors(self, features):
        self.threads.append(torch.get_num_threads())
        return super().log_posteriors(features)


def test_together_utterances_get_what_each_gets_alone(tiny_run: Path) -> None:
    dataset = Dataset(tiny_run / "prepare", tiny_run / "features")
    scorer = Watched(tiny_run / "train" / "bundle")
    alone = list(scored_split(scorer, dataset, "test"))
    assert scorer.batches == []
    at_once = 2 * max(len(scores) for _, scores in alone)
    together = list(scored_split(scorer, dataset, "test", at_once))
    assert [cut.id for cut, _ in together] == [cut.id for cut, _ in alone]
    for (_, one), (_, other) in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert scorer.batches
    assert all(len(batch) * np.max(batch) <= at_once for batch in scorer.batches)


def test_on_a_gpu_utterances_are_scored_together_by_the_caller_s_thread(tiny_run: Path) -> None:
    working: list[tuple[threading.Thread, int]] = []

    class OnGpu(AcousticScorer):
        def batch(self, features):
            working.append((threading.current_thread(), len(features)))
            return features

    scorer = OnGpu(read_bundle(tiny_run / "train" / "bundle", torch.device("cpu")))
    scorer.device = torch.device("cuda")
    found = list(scored_split(scorer, Dataset(tiny_run / "prepare", tiny_run / "features"), "test"))
    assert working == [(threading.current_thread(), len(found))]


def test_on_a_cpu_each_utterance_has_one_thread(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, scorer = Dataset(tiny_run / "prepare", tiny_run / "features"), Watched(tiny_run / "train" / "bundle")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = []
        for cores in (1, 3):
            monkeypatch.setattr("asr.threads.available_cores", lambda cores=cores: cores)
            found.append([scores for _, scores in scored_split(scorer, dataset, "test")])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(scorer.threads) == {1}
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
