"""The recipe to begin with that `asr prepare` writes for a corpus of one's own."""

from pathlib import Path
from typing import Any

import yaml

from asr.config import CorpusConfig, FeaturesConfig
from asr.config.recipe_file import read_recipe
from asr.corpora.prepare import PrepareSummary, corpus_dir
from asr.data_files import data_path
from asr.phones.lexicon import CMUDICT
from asr.storage.run_layout import PHONE_SET, RECIPE

TIMED: dict[str, Any] = {
    "model": {"type": "lstm", "layers": 2, "width": 192, "dropout": 0.4},
    "training": {
        "epochs": 30,
        "patience": 30,
        "batch_size": 1000,
        "optimizer": {"type": "adam", "learning_rate": 0.003},
        "schedule": {"type": "cosine", "warmup": 2},
        "clip_gradient": 1.0,
        "moving_average": 0.99,
    },
    "lm": {"order": 2},
}
"""For phones with times: the model of recipes/timit_sample/bilstm.yaml."""

UNTIMED: dict[str, Any] = {
    "model": {"type": "dnn", "layers": 3, "width": 512, "context": 8, "normalization": "layer", "dropout": 0.2},
    "training": {
        "flat_start": True,
        "realign": 3,
        "snap": 50,
        "epochs": 6,
        "batch_size": 256,
        "optimizer": {"type": "adam", "learning_rate": 0.001},
        "moving_average": 0.99,
    },
    "lm": {"order": 3},
}
"""For phones or words without times: phones spread evenly at first, then aligned by the model itself."""

SMALL = "small"
"""The model in the box."""

FROM_SMALL: dict[str, Any] = {
    "augmentation": {
        "speed": [0.9, 1.0, 1.1],
        "vtlp": [0.88, 1.12],
        "spec_augment": {
            "time_masks": 2,
            "time_width": 25,
            "time_share": 0.15,
            "frequency_masks": 2,
            "frequency_width": 6,
        },
    },
    "training": {
        "loss": "ctc",
        "epochs": 20,
        "patience": 20,
        "batch_size": 600,
        "optimizer": {"type": "adam", "learning_rate": 0.001},
        "schedule": {"type": "cosine", "warmup": 2},
        "clip_gradient": 5.0,
        "moving_average": 0.99,
    },
    "lm": {"order": 2},
    "decoding": {
        "search": "prefix_beam",
        "acoustic_scales": [1.0],
        "lm_weights": [0.1, 0.2, 0.3, 0.5],
        "insertion_penalties": [-3.0, -2.0, -1.0, 0.0, 1.0],
    },
}
"""For minutes of speech: what recipes/timit_sample/small_ctc.yaml has."""


def first_recipe(config: CorpusConfig, summary: PrepareSummary, prepared: Path, from_small: bool = False) -> str:
    """The YAML of a recipe for the corpus, as `asr prepare` read it into the folder `prepared`.

    With `from_small`, its model begins as the one in the box, on that one's features.
    """
    given = config.phone_set.name if config.phone_set and config.phone_set.ships else summary.phone_set
    phones = str((prepared / PHONE_SET).absolute()) if given == PHONE_SET else given or config.transcribed_in.name
    corpus = config.model_dump(mode="json", exclude_defaults=True, exclude={"phone_set"})
    if config.lexicon_files:
        corpus["lexicon"] = [each if each == CMUDICT else str(Path(each).absolute()) for each in config.lexicon]
    features = {"type": "fbank", "bins": 40, "cmvn": "speaker" if summary.speakers_known else "utterance"}
    if summary.sample_rate < FeaturesConfig().sample_rate:
        features["sample_rate"] = summary.sample_rate  # telephone speech, say: nothing is above its band
    timed = all(split.timed == split.utterances for split in summary.splits.values())
    recipe = {
        "corpus": corpus | {"dir": str(corpus_dir(config))},
        "features": features,
        "targets": {"phone_set": phones, "states": 1 if from_small else 3},
        **(_from_small() if from_small else TIMED if timed else UNTIMED),
        "scoring": {"phone_set": phones},
    }
    return (
        f"# A recipe to begin with, by asr prepare {config.name}; asr recipe settings shows what may be changed.\n"
        + yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)
    )


def _from_small() -> dict[str, Any]:
    small = read_recipe(data_path("models", SMALL) / RECIPE)
    features, model = (each.model_dump(mode="json", exclude_defaults=True) for each in (small.features, small.model))
    return {
        "features": {"type": small.features.type, **features},
        "model": {"type": small.model.type, **model, "pretrained": SMALL, "dropout": 0.2},
        **FROM_SMALL,
    }
