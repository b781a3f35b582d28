"""Normalisation over the valid frames of padded batches."""

import pytest
import torch
from torch import nn

from asr.config import CnnConfig, DnnConfig, ModelConfig
from asr.models import build
from asr.models.kernels import gpu
from asr.models.normalization import MapNormalization, make_normalization

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.fixture(params=["cpu", "gpu"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU's way of computing, then a GPU's."""
    if request.param == "gpu":
        monkeypatch.setattr(gpu, "DEVICES", {"cpu"})


@pytest.mark.usefixtures("way")
def test_batch_norm_without_padding_is_torch_s() -> None:
    ours, reference = make_normalization("batch", 5), nn.BatchNorm1d(5)
    for module in (ours, reference):
        nn.init.uniform_(module.weight, generator=torch.Generator().manual_seed(1))
    x = torch.randn(4, 7, 5)
    for _ in range(3):
        torch.testing.assert_close(ours(x).flatten(0, 1), reference(x.flatten(0, 1)))
        x = 2 * x + 1
    ours.eval(), reference.eval()
    torch.testing.assert_close(ours(x).flatten(0, 1), reference(x.flatten(0, 1)))


def test_padding_is_not_counted() -> None:
    frames = torch.randn(9, 3)
    padded = torch.full((2, 6, 3), 1e3)
    padded[0], padded[1, :3] = frames[:6], frames[6:]
    valid = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    of_frames, of_padded = make_normalization("batch", 3), make_normalization("batch", 3)
    torch.testing.assert_close(of_padded(padded, valid)[valid], of_frames(frames))
    torch.testing.assert_close(of_padded.running_var, of_frames.running_var)
    torch.testing.assert_close(of_padded.running_mean, of_frames.running_mean)


@pytest.mark.parametrize("counted", [0, 1])
def test_fewer_than_two_frames_are_normalised_by_the_running_statistics(counted: int) -> None:
    batch_norm = make_normalization("batch", 3)
    batch_norm(5 + 2 * torch.randn(50, 3))
    before = {name: buffer.clone() for name, buffer in batch_norm.named_buffers()}
    x = torch.randn(4, 3, requires_grad=True)
    valid = torch.arange(4) < counted
    normed = batch_norm(x, valid)
    torch.testing.assert_close(normed, (x - before["running_mean"]) / (before["running_var"] + batch_norm.eps).sqrt())
    assert all(torch.equal(buffer, before[name]) for name, buffer in batch_norm.named_buffers())
    assert torch.autograd.gradcheck(lambda x: batch_norm(x, valid), (x,))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["batch", "layer", "none"])
def test_maps_are_normalised_as_torch_does(name: str) -> None:
    ours, x = MapNormalization(name, maps=4, bins=5), 3 + 2 * torch.randn(2, 6, 4, 5)
    reference = {"batch": nn.BatchNorm2d(4), "layer": nn.LayerNorm([4, 5]), "none": nn.Identity()}[name]
    maps = x.transpose(1, 2)
    expected = reference(x).transpose(1, 2) if name == "layer" else reference(maps)
    torch.testing.assert_close(ours(maps), expected)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "config",
    [
        DnnConfig(layers=2, width=8, context=1, normalization="batch"),
        CnnConfig(context=1, layers=1, width=8, normalization="batch", convolutions=[{"filters": 2, "kernel": [3, 2]}]),
    ],
    ids=lambda config: config.type,
)
def test_a_last_minibatch_of_one_frame_is_learned_from(config: ModelConfig) -> None:
    model = build(config, input_dim=4, output_dim=3).train()
    model.forward_windows(torch.randn(9, 3, 4))
    scores = model.forward_windows(torch.randn(1, 3, 4))
    scores.sum().backward()
    assert torch.isfinite(scores).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    assert all(torch.isfinite(buffer).all() for buffer in model.buffers())


@pytest.mark.parametrize("name", ["batch", "layer", "none"])
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_exact(name: str, training: bool) -> None:
    module = make_normalization(name, 3).train(training)
    valid = torch.tensor([[True, True, True, True], [True, True, False, False]])
    x = torch.randn(2, 4, 3, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: module(x, valid), (x, *module.parameters()))


@pytest.mark.parametrize("name", ["batch", "layer", "none"])
def test_keeps_the_precision_of_its_input(name: str) -> None:
    module = make_normalization(name, 3).float()
    assert module(torch.randn(2, 4, 3, dtype=torch.float32)).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(module(torch.randn(2, 4, 3, dtype=torch.bfloat16))).all()
