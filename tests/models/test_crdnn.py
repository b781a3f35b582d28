"""CRDNN: every cell trains, and what does not fit is reported."""

import pytest
import torch

from asr.config import CrdnnConfig
from asr.errors import InputError
from asr.models import build

pytestmark = pytest.mark.usefixtures("double_precision")
SMALL = {
    "filters": [2, 3],
    "recurrent_layers": 1,
    "recurrent_width": 2,
    "width": 3,
    "layers": 1,
    "dropout": 0.0,
    "activation": "tanh",
}


@pytest.mark.parametrize("recurrent", ["rnn_tanh", "rnn_relu", "lstm", "gru", "ligru"])
def test_every_cell_trains_in_bf16(recurrent: str) -> None:
    model = build(CrdnnConfig(**SMALL, recurrent=recurrent, subsampling=2), input_dim=8, output_dim=5).float()
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(torch.randn(2, 9, 8, dtype=torch.float32), torch.tensor([9, 4]))
    logits.float().square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


@pytest.mark.parametrize(("changed", "key"), [({"channels": 3}, "channels"), ({"frequency_pooling": 4}, "pooling")])
def test_what_does_not_fit_is_named(changed: dict[str, int], key: str) -> None:
    with pytest.raises(InputError, match=key):
        build(CrdnnConfig(**SMALL, **changed), input_dim=8, output_dim=5)
