"""Every model of the configuration can be built, and the model that is built is the one that was asked for."""

from typing import get_args

import pytest
import torch
from support.models.encoder_folder import ARCHITECTURES

from asr.config import ModelConfig
from asr.models import MODELS, build

SMALLER = {"wav2vec2": {"architecture": ARCHITECTURES["base"]}}
CONFIGS = [config(**SMALLER.get(config().type, {})) for config in get_args(get_args(ModelConfig)[0])]


def test_every_type_of_the_configuration_is_registered() -> None:
    assert {config.type for config in CONFIGS} == set(MODELS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.type)
def test_builds(config: ModelConfig) -> None:
    model = build(config, input_dim=40, output_dim=3)
    module, name = MODELS[config.type].split(":")
    assert (type(model).__module__, type(model).__name__) == (module, name)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.type)
def test_logits_are_the_output_layer_of_what_the_encoder_returns(config: ModelConfig) -> None:
    model = build(config, input_dim=40, output_dim=3).eval()
    features, lengths = torch.randn(2, 23, 40), torch.tensor([23, 17])
    hidden, frames = model.encode(features, lengths)
    logits, same_frames = model(features, lengths)
    assert torch.equal(frames, same_frames)
    torch.testing.assert_close(model.output_layer(hidden), logits, rtol=0, atol=1e-6)
    assert logits.shape[2] == 3
