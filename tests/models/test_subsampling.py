"""What every model that may subsample promises: output lengths, blindness to padding, exact gradients."""

from collections.abc import Callable

import pytest
import torch

from asr.config import ConformerConfig, CrdnnConfig, ModelConfig, Normalization, TdnnConfig
from asr.models import AcousticModel, build

pytestmark = pytest.mark.usefixtures("double_precision")


def crdnn(**settings: object) -> ModelConfig:
    sizes = {"filters": [2, 3], "recurrent_layers": 1, "recurrent_width": 2, "width": 3, "layers": 1, "dropout": 0.0}
    return CrdnnConfig.model_validate(sizes | {"activation": "tanh"} | settings)


def conformer(**settings: object) -> ModelConfig:
    sizes = {"filters": 4, "layers": 2, "width": 8, "heads": 2, "feed_forward": 6, "kernel": 3, "dropout": 0.0}
    return ConformerConfig.model_validate(sizes | settings)


def tdnn(**settings: object) -> ModelConfig:
    sizes = {"dilations": [1, 2], "width": 6, "dropout": 0.0, "activation": "tanh", "initializer": "glorot"}
    return TdnnConfig.model_validate(sizes | settings)


def causal_tdnn(**settings: object) -> ModelConfig:
    return tdnn(causal=True, **settings)


each_model = pytest.mark.parametrize("config", [crdnn, conformer, tdnn, causal_tdnn])
each_subsampling = pytest.mark.parametrize("subsampling", [1, 2, 3, 4])
each_normalization = pytest.mark.parametrize("normalization", ["batch", "layer", "none"])
Config = Callable[..., ModelConfig]


@each_model
@each_subsampling
@each_normalization
def test_an_utterance_alone_and_in_any_batch_gives_the_same_scores(
    config: Config, subsampling: int, normalization: Normalization
) -> None:
    model = build(config(subsampling=subsampling, normalization=normalization), 8, 5)
    model(torch.randn(3, 9, 8), torch.tensor([9, 5, 6]))
    model.eval()
    sizes = [20, 7, 1, 18]
    utterances = [torch.randn(size, 8) for size in sizes]
    together, lengths = model(padded(utterances, 21, float("nan")), torch.tensor(sizes))
    assert lengths.tolist() == [-(-size // subsampling) for size in sizes]
    for scores, utterance, length in zip(together, utterances, lengths, strict=True):
        alone, _ = model(utterance[None], torch.tensor([len(utterance)]))
        assert alone.shape == (1, length, 5)
        torch.testing.assert_close(scores[:length], alone[0], rtol=1e-12, atol=1e-12)


def padded(utterances: list[torch.Tensor], frames: int, padding: float) -> torch.Tensor:
    batch = torch.full((len(utterances), frames, 8), padding)
    for row, utterance in zip(batch, utterances, strict=True):
        row[: len(utterance)] = utterance
    return batch


@each_model
@each_normalization
def test_padding_enters_no_statistics(config: Config, normalization: Normalization) -> None:
    utterances, lengths = [torch.randn(12, 8), torch.randn(6, 8)], torch.tensor([12, 6])
    model = build(config(subsampling=2, normalization=normalization), 8, 5).train()
    scores, frames = model(padded(utterances, 12, float("nan")), lengths)
    with_more, _ = model(padded(utterances, 21, float("inf")), lengths)
    for row, other, count in zip(scores, with_more, frames, strict=True):
        torch.testing.assert_close(row[:count], other[:count], rtol=1e-12, atol=1e-12)


@each_model
@each_subsampling
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_gradients_are_exact(config: Config, subsampling: int, normalization: Normalization) -> None:
    model = build(config(subsampling=subsampling, normalization=normalization), 4, 2)
    with torch.no_grad():  # off the corners of the rectifiers, at which padding is while all biases are zero
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    features, lengths = torch.randn(2, 6, 4, requires_grad=True), torch.tensor([6, 3])
    mask = (torch.arange(-(-6 // subsampling)) < (-(-lengths // subsampling))[:, None])[..., None]

    def scores(features: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return model(features, lengths)[0] * mask

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


@pytest.mark.parametrize("config", [crdnn, conformer])
def test_deltas_are_maps_of_their_own(config: Config) -> None:
    assert scores_of(config(subsampling=1, channels=3), 4, 12).shape == (1, 4, 5)


@each_model
def test_no_frames(config: Config) -> None:
    assert scores_of(config(), 0, 8).shape == (1, 0, 5)


def scores_of(config: ModelConfig, frames: int, dim: int) -> torch.Tensor:
    model: AcousticModel = build(config, dim, 5)
    return model(torch.randn(1, frames, dim), torch.tensor([frames]))[0]
