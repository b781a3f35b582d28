"""A trained model in memory, for tests that bring posteriors of their own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asr import models
from asr.acoustics.bundle import Bundle, ClassStatistics, Tuning
from asr.config import DnnConfig, RecipeConfig
from asr.features.cmvn import Cmvn
from asr.lm.ngram import train_ngram
from asr.phones.phone_set import load_phone_set


def small_bundle(folder: Path, sentences: Sequence[Sequence[str]] = (), **sections: object) -> Bundle:
    """A bundle of these recipe sections, with the language model of `sentences` in the folder and equal priors."""
    config = RecipeConfig.model_validate({"corpus": {"name": "demo"}, **sections})
    classes = len(config.class_names)
    if sentences:
        train_ngram(sentences, config.lm.order, load_phone_set(config.targets.phone_set), folder / "lm.arpa")
    return Bundle(
        folder=folder,
        config=config,
        model=models.build(DnnConfig(layers=1, width=4, context=0), config.features.dim, classes).eval(),
        statistics=ClassStatistics(priors=np.full(classes, 1 / classes), self_loops=np.full(classes, 0.5)),
        cmvn=Cmvn(),
        tuning=Tuning(),
    )


def peaked(labels: Sequence[int], classes: int, peak: float = 0.99) -> npt.NDArray[np.float32]:
    """Log posteriors [T, C] of `peak` for a label in each frame; all others share the rest."""
    posteriors = np.full((len(labels), classes), (1 - peak) / (classes - 1), np.float32)
    posteriors[np.arange(len(labels)), labels] = peak
    return np.log(posteriors)
