"""CRDNN: output lengths, blindness to padding, exact gradients."""

from collections.abc import Iterator

import pytest
import torch

from asr.config import CrdnnConfig
from asr.errors import InputError
from asr.models import build

SMALL = {
    "filters": [2, 3],
    "recurrent_layers": 1,
    "recurrent_width": 2,
    "width": 3,
    "layers": 1,
    "dropout": 0.0,
    "activation": "tanh",
}
each_subsampling = pytest.mark.parametrize("subsampling", [1, 2, 3, 4])


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)


@each_subsampling
@pytest.mark.parametrize("normalization", ["batch", "layer", "none"])
def test_an_utterance_alone_and_in_any_batch_gives_the_same_scores(subsampling: int, normalization: str) -> None:
    config = CrdnnConfig(**SMALL, subsampling=subsampling, normalization=normalization)
    model = build(config, input_dim=8, output_dim=5)
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


@each_subsampling
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_gradients_are_exact(subsampling: int, normalization: str) -> None:
    config = CrdnnConfig(**SMALL, subsampling=subsampling, normalization=normalization, recurrent="gru")
    model = build(config, input_dim=4, output_dim=2)
    features, lengths = torch.randn(2, 6, 4, requires_grad=True), torch.tensor([6, 3])
    mask = (torch.arange(-(-6 // subsampling)) < (-(-lengths // subsampling))[:, None])[..., None]

    def scores(features: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return model(features, lengths)[0] * mask

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


@pytest.mark.parametrize("recurrent", ["rnn_tanh", "rnn_relu", "lstm", "gru", "ligru"])
def test_every_cell_trains_in_bf16(recurrent: str) -> None:
    model = build(CrdnnConfig(**SMALL, recurrent=recurrent, subsampling=2), input_dim=8, output_dim=5).float()
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(torch.randn(2, 9, 8, dtype=torch.float32), torch.tensor([9, 4]))
    logits.float().square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_deltas_are_maps_of_their_own() -> None:
    model = build(CrdnnConfig(**SMALL, channels=3), input_dim=12, output_dim=5)
    assert model(torch.randn(1, 4, 12), torch.tensor([4]))[0].shape == (1, 4, 5)


@pytest.mark.parametrize(("changed", "key"), [({"channels": 3}, "channels"), ({"frequency_pooling": 4}, "pooling")])
def test_what_does_not_fit_is_named(changed: dict[str, int], key: str) -> None:
    with pytest.raises(InputError, match=key):
        build(CrdnnConfig(**SMALL, **changed), input_dim=8, output_dim=5)


def test_no_frames() -> None:
    logits, _ = build(CrdnnConfig(**SMALL), 8, 5)(torch.zeros(1, 0, 8), torch.tensor([0]))
    assert logits.shape == (1, 0, 5)
