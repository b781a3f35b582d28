"""TDNN: which frames an output reads, and depth."""

import pytest
import torch
from pydantic import ValidationError

from asr.config import TdnnConfig
from asr.models import AcousticModel, build

pytestmark = pytest.mark.usefixtures("double_precision")
SMALL = {"dilations": [1, 2], "width": 6, "dropout": 0.0, "activation": "tanh", "initializer": "glorot"}
each_subsampling = pytest.mark.parametrize("subsampling", [1, 2, 3, 4])


def small(input_dim: int = 8, **settings: object) -> AcousticModel:
    return build(TdnnConfig.model_validate(SMALL | settings), input_dim, 5)


@each_subsampling
@pytest.mark.parametrize("causal", [False, True])
def test_an_output_reads_its_receptive_field(subsampling: int, causal: bool) -> None:
    model = small(subsampling=subsampling, causal=causal, normalization="layer").eval()
    features = torch.randn(1, 80, 8, requires_grad=True)
    frame = 40 // subsampling
    model(features, torch.tensor([80]))[0][0, frame].sum().backward()
    assert features.grad is not None
    read = features.grad.abs().sum(2)[0].nonzero().flatten().tolist()
    field = model.receptive_field
    assert field is not None
    assert read == list(range(read[0], read[0] + field))
    first, last = frame * subsampling, frame * subsampling + subsampling - 1
    assert read[-1] == last if causal else first - read[0] == read[-1] - last


def test_depth_is_no_obstacle() -> None:
    """At forty layers the loss of labels that lie three frames back falls."""
    model = build(TdnnConfig(dilations=[1, 2] * 20, width=16, dropout=0.0), 8, 3)
    labels = torch.randint(3, (4, 60))
    features = torch.zeros(4, 60, 8)
    features[:, :-3, :3] = torch.nn.functional.one_hot(labels[:, 3:], 3).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(model(features, torch.full((4,), 60))[0].transpose(1, 2), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3  # chance is 1.1


def test_an_even_kernel_is_for_causal_models() -> None:
    with pytest.raises(ValidationError, match=r"kernel \(2\) must be odd, or the model causal"):
        TdnnConfig(kernel=2)
    assert small(kernel=2, causal=True)(torch.randn(1, 7, 8), torch.tensor([7]))[0].shape == (1, 7, 5)
