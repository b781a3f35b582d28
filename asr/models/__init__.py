"""Acoustic models: one interface, and one registry from which a recipe's model is built."""

from importlib import import_module

from asr.config import ModelConfig, RecipeConfig, TdnnConfig, TimingConfig
from asr.models.acoustic_model import AcousticModel

__all__ = ["MODELS", "AcousticModel", "build", "build_for", "timing_network"]

MODELS = {
    "dnn": "asr.models.dnn:Dnn",
    "cnn": "asr.models.cnn:Cnn",
    "deep_cnn": "asr.models.deep_cnn:DeepCnn",
    "rnn": "asr.models.recurrent:Recurrent",
    "lstm": "asr.models.recurrent:Recurrent",
    "gru": "asr.models.recurrent:Recurrent",
    "ligru": "asr.models.recurrent:Recurrent",
    "crdnn": "asr.models.crdnn:Crdnn",
    "conformer": "asr.models.conformer:Conformer",
    "tdnn": "asr.models.tdnn:Tdnn",
    "wav2vec2": "asr.models.wav2vec2:Wav2Vec2",
}
"""The class of each `model.type`, as module:name; it is called with (config, input_dim, output_dim)."""


def build(config: ModelConfig, input_dim: int, output_dim: int) -> AcousticModel:
    """Builds the model of a recipe: `input_dim` features per frame in, `output_dim` classes out.

    Raises InputError when the model's settings do not fit each other or the features.

    >>> import torch
    >>> model = build(TdnnConfig(), input_dim=40, output_dim=48)
    >>> logits, lengths = model(torch.zeros(2, 100, 40), torch.tensor([100, 80]))
    >>> logits.shape, lengths
    (torch.Size([2, 100, 48]), tensor([100,  80]))
    """
    module, name = MODELS[config.type].split(":")
    model = getattr(import_module(module), name)(config, input_dim, output_dim)
    assert isinstance(model, AcousticModel)
    return model


def build_for(recipe: RecipeConfig) -> AcousticModel:
    """Builds the model of a recipe, with the second output of `training.timing`, if there is one. Raises InputError as
    `build`."""
    model = build(recipe.model, recipe.features.dim, len(recipe.class_names))
    if recipe.training.timing is not None:
        network = timing_network(recipe.training.timing)
        model.timing = build(network, recipe.features.dim, len(recipe.timing_names))
    return model


def timing_network(config: TimingConfig) -> TdnnConfig:
    """The network of a second output: on the features alone, as an encoder by CTC knows what is said better than when,
    and narrow, so that a boundary is where the sound changes."""
    layers = config.model_dump(include={"dilations", "width", "dropout"})
    return TdnnConfig(normalization="layer", **layers)
