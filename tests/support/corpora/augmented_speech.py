"""A small corpus of two speakers, recipes with augmentation, and their epochs."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import torch

from asr.config import RecipeConfig
from asr.corpora.cuts import utterance_cut, write_cuts
from asr.features.dataset import Dataset
from asr.features.extract import extract
from asr.training.data.augmented import EpochSpeech
from asr.training.data.speech import Speech, load_speech

CPU = torch.device("cpu")
RATE = 16000
PHONES = ("sil", "aa", "s", "iy", "sil")
EVERYTHING = {
    "speed": [0.9, 1.0, 1.1],
    "vtlp": [0.9, 1.1],
    "reverberation": {"probability": 0.5},
    "noise": {"probability": 0.5, "color": "any", "voices": 2},
    "gain": {"probability": 0.5},
    "channel": {"probability": 0.5},
    "pauses": {"probability": 0.5},
}


def write_split(folder: Path, split: str, utterances: int, seed: int) -> None:
    """Utterances of five phones, each a noise of its own colour, by two speakers."""
    generator = np.random.default_rng(seed)
    cuts = []
    for number in range(utterances):
        bounds = np.cumsum([0, *generator.integers(1500, 4000, len(PHONES))])
        pieces = [
            np.convolve(generator.standard_normal(end - start), np.ones(1 + 2 * index))[: end - start] * 0.02
            for index, (start, end) in enumerate(pairwise(bounds))
        ]
        name = f"spk{number % 2}-{split}{number}"
        samples = np.concatenate(pieces)
        soundfile.write(folder / f"{name}.wav", samples, RATE)
        times = bounds / RATE
        phones = [(phone, start, end) for phone, (start, end) in zip(PHONES, pairwise(times), strict=True)]
        cuts.append(
            utterance_cut(name, folder / f"{name}.wav", RATE, len(samples), speaker=f"spk{number % 2}", phones=phones)
        )
    write_cuts(folder / f"{split}.cuts.jsonl.gz", cuts)


def recipe(
    augmentation: dict[str, object], features: dict[str, object] | None = None, **training: object
) -> RecipeConfig:
    return RecipeConfig.model_validate(
        {
            "corpus": {"name": "timit"},
            "features": {"bins": 20, **(features or {})},
            "augmentation": augmentation,
            "model": {"layers": 1, "width": 16, "context": 2},
            "training": {"batch_size": 64, "epochs": 4, "patience": 9, **training},
        }
    )


def load(config: RecipeConfig, corpus: Path, features: Path, edge: int = 2) -> Speech:
    for split in ("train", "dev"):
        extract(corpus / f"{split}.cuts.jsonl.gz", features / split, config.features)
    return load_speech(config, Dataset(corpus, features).split("train", config.features), edge, CPU)


def epoch_speech(
    config: RecipeConfig, corpus: Path, features: Path, edge: int = 2, kind: type[EpochSpeech] = EpochSpeech
) -> EpochSpeech:
    clean = load(config, corpus, features, edge)
    return kind(config, clean, Dataset(corpus, features).split("train", config.features), CPU)


def same(one: Speech, other: Speech) -> bool:
    names = ("rows", "labels", "starts", "lengths")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)
