"""The CNN's sizes are as computed, and an utterance gives each frame the scores of its window."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from asr.config import CnnConfig
from asr.errors import InputError
from asr.models import build
from asr.models.cnn import Cnn

CONVOLUTIONS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"filters": 3, "kernel": [3, 4]}],
    "overlapping pools": [{"filters": 3, "kernel": 2, "pooling": "max", "pool_size": [3, 4], "pool_stride": [1, 2]}],
    "average": [{"filters": 2, "kernel": [2, 3], "pooling": "average", "pool_size": 2}, {"filters": 4, "kernel": 2}],
    "strides": [
        {"filters": 3, "kernel": 2, "stride": 2, "pooling": "max", "pool_size": [2, 1], "pool_stride": [2, 1]},
        {"filters": 2, "kernel": [2, 1], "dilation": 1, "pooling": "average", "pool_size": [1, 2]},
    ],
    "dilation": [{"filters": 3, "kernel": [3, 2], "dilation": [2, 3]}],
    "padding in time": [{"filters": 3, "kernel": 3, "padding": 1, "stride": [2, 1]}],
    "padding in frequency": [{"filters": 3, "kernel": 3, "padding": [0, 1]}, {"filters": 2, "kernel": [2, 3]}],
}


def cnn(convolutions: list[dict[str, Any]], dim: int = 12, classes: int = 5, **others: Any) -> Cnn:
    config = {"type": "cnn", "context": 5, "layers": 1, "width": 8, "convolutions": convolutions, **others}
    model = build(CnnConfig.model_validate(config), dim, classes)
    assert isinstance(model, Cnn)
    return model


def windows_of(features: torch.Tensor, context: int) -> torch.Tensor:
    """The windows [T, 2 * context + 1, D] of features [T, D], edges repeated."""
    edged = torch.cat([features[:1].expand(context, -1), features, features[-1:].expand(context, -1)])
    return edged.unfold(0, 2 * context + 1, 1).transpose(1, 2)


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("layers", CONVOLUTIONS)
def test_windows_and_utterances_give_the_same_scores(layers: str, normalization: str) -> None:
    torch.manual_seed(0)
    model = cnn(CONVOLUTIONS[layers], channels=2, normalization=normalization, dropout=0.5)
    with torch.no_grad():
        model.forward_windows(torch.randn(8, 11, 12))  # running statistics other than the first ones
    model.eval()
    assert model.shares_frames == (layers != "padding in time")
    for frames in (1, 2, 17):
        features = torch.randn(frames, 12)
        logits, lengths = model(features[None], torch.tensor([frames]))
        assert lengths.tolist() == [frames]
        torch.testing.assert_close(logits[0], model.forward_windows(windows_of(features, 5)), rtol=1e-4, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    pooling=st.sampled_from(["none", "max", "average"]),
    pool_size=st.integers(1, 3),
    pool_stride=st.integers(1, 3),
    frames=st.integers(1, 12),
)
def test_any_strides_give_the_same_scores_in_one_dimension(frames: int, **layer: Any) -> None:
    torch.manual_seed(1)
    model = cnn([{"filters": 3, **layer}, {"filters": 2, "kernel": 1}], dim=4, dimensions=1, context=6).eval()
    features = torch.randn(frames, 4)
    logits, _ = model(features[None], torch.tensor([frames]))
    torch.testing.assert_close(logits[0], model.forward_windows(windows_of(features, 6)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", ["strides", "padding in time"])
def test_padding_changes_no_score(layers: str) -> None:
    torch.manual_seed(2)
    model = cnn(CONVOLUTIONS[layers]).eval()
    long, short = torch.randn(19, 12), torch.randn(6, 12)
    batch = torch.full((2, 19, 12), 1e6)
    batch[0], batch[1, :6] = long, short
    together, _ = model(batch, torch.tensor([19, 6]))
    alone, _ = model(short[None], torch.tensor([6]))
    torch.testing.assert_close(together[1, :6], alone[0])


def test_padding_counts_in_no_batch_statistics() -> None:
    torch.manual_seed(3)
    model = cnn(CONVOLUTIONS["plain"], normalization="batch", dropout=0.0).train()
    features = torch.randn(2, 9, 12)
    features[1, 4:] = 1e6
    model(features, torch.tensor([9, 4]))
    layer = model.convolutions[0].get_submodule("normalization.normalization")
    assert float(layer.get_buffer("running_var").max()) < 100
    assert torch.isfinite(model(features, torch.tensor([9, 4]))[0]).all()


def test_features_with_deltas_are_input_maps() -> None:
    model = cnn([{"filters": 4, "kernel": 3}], dim=12, channels=3)
    weight = model.convolutions[0].get_submodule("convolution").get_parameter("weight")
    assert weight.shape == (4, 3, 3, 3)
    with torch.no_grad():
        weight[:, [0, 2]] = 0
    window = torch.randn(1, 11, 12, requires_grad=True)
    model.eval().forward_windows(window).square().sum().backward()
    assert window.grad.abs().sum(dim=(0, 1)).nonzero().flatten().tolist() == [4, 5, 6, 7]  # those of the middle map


def test_an_utterance_without_frames_has_no_scores() -> None:
    assert cnn(CONVOLUTIONS["plain"]).eval()(torch.zeros(1, 0, 12), torch.tensor([0]))[0].shape == (1, 0, 5)


@pytest.mark.parametrize(
    ("convolutions", "message"),
    [
        ([{"kernel": [12, 3]}], r"model\.convolutions\.0: a kernel of 12 x 3 .* does not fit .* 1 maps of 11 x 12"),
        ([{"kernel": 3, "dilation": [6, 1]}], r"model\.convolutions\.0: .* dilation 6 x 1"),
        (
            [{"filters": 7, "pooling": "max", "pool_size": [2, 5]}, {"kernel": 3}],
            r"model\.convolutions\.1: .* 7 maps of 4 x 2",
        ),
        ([{"kernel": 3, "pooling": "max", "pool_size": [10, 1]}], r"convolutions\.0: pooling over 10 x 1 .* 9 x 10"),
    ],
)
def test_a_layer_that_does_not_fit_is_named(convolutions: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cnn(convolutions, normalization="layer")


def test_features_that_do_not_divide_into_maps() -> None:
    with pytest.raises(InputError, match=r"model\.channels: 5 does not divide the 12 features of a frame; change it"):
        cnn(CONVOLUTIONS["plain"], channels=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 2}, "channels is for dimensions: 2"),
        ({"convolutions": [{"kernel": [3, 3]}]}, r"convolutions\.0\.kernel: with dimensions: 1 it is one number"),
    ],
)
def test_one_dimension_has_no_frequency(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CnnConfig.model_validate({"type": "cnn", "dimensions": 1, "convolutions": [{"kernel": 3}], **change})
