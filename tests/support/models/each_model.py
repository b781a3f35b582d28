"""A small model of each type with the losses that differ for it, and a minibatch for any of them."""

import torch

from asr import models
from asr.config import RecipeConfig
from asr.training.data.minibatch import Batch
from support.models.encoder_folder import ARCHITECTURES
from support.models.separable import recipe

FEATURES = {"type": "fbank", "bins": 4}
MASKS = {"spec_augment": {"time_masks": 1, "frequency_masks": 1, "time_width": 4, "frequency_width": 2}}


def make_recipe(model: dict[str, object] | None = None, masks: bool = False, **training: object) -> RecipeConfig:
    plain = recipe(**training).model_dump(mode="json", exclude_unset=True)
    return RecipeConfig.model_validate(
        plain
        | {"features": FEATURES if model is None or model["type"] != "wav2vec2" else {"type": "waveform"}}
        | ({} if model is None else {"model": model})
        | ({"augmentation": MASKS} if masks else {})
    )


EACH_MODEL = [
    ({"type": "dnn", "layers": 1, "width": 8, "context": 1, "normalization": "batch"}, {}),
    ({"type": "cnn", "context": 2, "normalization": "batch", "convolutions": [{"filters": 2, "kernel": [3, 2]}]}, {}),
    ({"type": "deep_cnn", "layers": 2, "width": 8}, {"batching": "utterances"}),
    *(
        ({"type": cell, "layers": 1, "width": 6, "normalization": "batch"}, {"loss": loss})
        for cell in ("rnn", "lstm", "gru", "ligru")
        for loss in ("cross_entropy", "ctc")
    ),
    (
        {"type": "crdnn", "filters": [2], "recurrent_layers": 1, "recurrent_width": 4, "layers": 1, "width": 4}
        | {"frequency_pooling": 2, "subsampling": 2},
        {},
    ),
    *(
        ({"type": "conformer", "filters": 2, "layers": 1, "width": 8, "heads": 2, "feed_forward": 8, "kernel": 3}, loss)
        for loss in ({"loss": "cross_entropy"}, {"loss": "ctc"})
    ),
    ({"type": "tdnn", "dilations": [1, 2], "width": 8, "subsampling": 2}, {}),
    *(
        ({"type": "wav2vec2", "architecture": ARCHITECTURES[name].model_dump(), "layer": "weighted", "width": 8}, loss)
        for name in ("base", "wavlm_large")
        for loss in ({"loss": "cross_entropy"}, {"loss": "ctc"})
    ),
]


def minibatch(config: RecipeConfig, model: models.AcousticModel, frames: int = 20) -> Batch:
    """Windows, or three utterances of which the longest has so many frames."""
    generator = torch.Generator().manual_seed(0)
    if model.context is not None:
        windows = torch.randn(9, 2 * model.context + 1, 4, generator=generator)
        return Batch(windows, torch.randint(4, (9,), generator=generator))
    labels = torch.randint(1, 4, (3, 4 if config.training.loss == "ctc" else frames), generator=generator)
    return Batch(torch.randn(3, frames, 4, generator=generator), labels, torch.tensor([frames, frames - 7, frames - 2]))
