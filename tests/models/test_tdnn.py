"""TDNN: output lengths, blindness to padding, exact gradients, and which frames an output reads."""

from collections.abc import Iterator

import pytest
import torch
from pydantic import ValidationError

from asr.config import TdnnConfig
from asr.models import AcousticModel, build

SMALL = {"dilations": [1, 2], "width": 6, "dropout": 0.0, "activation": "tanh", "initializer": "glorot"}
each_subsampling = pytest.mark.parametrize("subsampling", [1, 2, 3, 4])
each_normalization = pytest.mark.parametrize("normalization", ["batch", "layer", "none"])


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def small(input_dim: int = 8, **settings: object) -> AcousticModel:
    return build(TdnnConfig.model_validate(SMALL | settings), input_dim, 5)


@each_subsampling
@each_normalization
@pytest.mark.parametrize("causal", [False, True])
def test_an_utterance_alone_and_in_any_batch_gives_the_same_scores(
    subsampling: int, normalization: str, causal: bool
) -> None:
    model = small(subsampling=subsampling, normalization=normalization, causal=causal)
    model(torch.randn(3, 9, 8), torch.tensor([9, 5, 6]))
    model.eval()
    sizes = [20, 7, 1, 18]
    utterances = [torch.randn(size, 8) for size in sizes]
    batch = torch.full((4, 21, 8), float("nan"))
    for row, utterance in zip(batch, utterances, strict=True):
        row[: len(utterance)] = utterance
    together, lengths = model(batch, torch.tensor(sizes))
    assert lengths.tolist() == [-(-size // subsampling) for size in sizes]
    for scores, utterance, length in zip(together, utterances, lengths, strict=True):
        alone, _ = model(utterance[None], torch.tensor([len(utterance)]))
        assert alone.shape == (1, length, 5)
        torch.testing.assert_close(scores[:length], alone[0], rtol=1e-12, atol=1e-12)


def test_padding_enters_no_statistics() -> None:
    model = small(subsampling=2).train()
    lengths = torch.tensor([12, 6])
    batch = torch.randn(2, 12, 8)
    scores, frames = model(batch, lengths)
    with_more, _ = model(torch.cat([batch, torch.full((2, 9, 8), 1e6)], 1), lengths)
    for row, other, count in zip(scores, with_more, frames, strict=True):
        torch.testing.assert_close(row[:count], other[:count], rtol=1e-12, atol=1e-12)


@each_subsampling
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_gradients_are_exact(subsampling: int, normalization: str) -> None:
    model = small(input_dim=4, subsampling=subsampling, normalization=normalization)
    features, lengths = torch.randn(2, 6, 4, requires_grad=True), torch.tensor([6, 3])
    mask = (torch.arange(-(-6 // subsampling)) < (-(-lengths // subsampling))[:, None])[..., None]

    def scores(features: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return model(features, lengths)[0] * mask

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


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


def test_no_frames() -> None:
    assert small()(torch.zeros(1, 0, 8), torch.tensor([0]))[0].shape == (1, 0, 5)
