"""Acoustic models: one interface, and one registry from which a recipe's model is built."""

from importlib import import_module

from asr.config import ModelConfig, RecipeConfig
from asr.models.acoustic_model import AcousticModel
from asr.models.timing_head import TimingHead

__all__ = ["MODELS", "AcousticModel", "build", "build_for"]

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


def build(config: ModelConfig, input_dim: int, output_dim: int, timing_dim: int = 0) -> AcousticModel:
    """Builds the model of a recipe: `input_dim` features per frame in, `output_dim` classes out, and `timing_dim` from
    the second output, which there is if that is not 0.

    Raises InputError when the model's settings do not fit each other or the features.
    """
    module, name = MODELS[config.type].split(":")
    model = getattr(import_module(module), name)(config, input_dim, output_dim)
    assert isinstance(model, AcousticModel)
    if timing_dim:
        model.timing = TimingHead(input_dim, model.output_layer.in_features, model.subsampling, timing_dim)
    return model


def build_for(recipe: RecipeConfig) -> AcousticModel:
    """Builds the model of a recipe with all its outputs."""
    return build(recipe.model, recipe.features.dim, len(recipe.class_names), len(recipe.timing_names))
