"""Every model of the configuration can be built, and the model that is built is the one that was asked for."""

from typing import get_args

import pytest

from asr.config import ModelConfig
from asr.models import MODELS, build

CONFIGS = get_args(get_args(ModelConfig)[0])


def test_every_type_of_the_configuration_is_registered() -> None:
    assert {config().type for config in CONFIGS} == set(MODELS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config().type)
def test_builds(config: type) -> None:
    model = build(config(), input_dim=40, output_dim=3)
    module, name = MODELS[config().type].split(":")
    assert (type(model).__module__, type(model).__name__) == (module, name)
