"""Conformer: output lengths, blindness to padding, exact gradients, positions that are relative."""

from collections.abc import Iterator

import pytest
import torch
from pydantic import ValidationError

from asr.config import ConformerConfig
from asr.errors import InputError
from asr.models import build
from asr.models.conformer import Conformer, Frames

SMALL = {"filters": 2, "layers": 2, "width": 8, "heads": 2, "feed_forward": 6, "kernel": 3, "dropout": 0.0}
each_subsampling = pytest.mark.parametrize("subsampling", [1, 2, 3, 4])
each_normalization = pytest.mark.parametrize("normalization", ["batch", "layer", "none"])


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)


def small(input_dim: int = 8, **settings: object) -> Conformer:
    model = build(ConformerConfig.model_validate(SMALL | settings), input_dim, 5)
    assert isinstance(model, Conformer)
    return model


def padded(sizes: list[int], frames: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Random utterances, alone and in a batch whose padding is not a number."""
    utterances = [torch.randn(size, 8) for size in sizes]
    batch = torch.full((len(sizes), frames, 8), float("nan"))
    for row, utterance in zip(batch, utterances, strict=True):
        row[: len(utterance)] = utterance
    return utterances, batch


@each_subsampling
@each_normalization
def test_an_utterance_alone_and_in_any_batch_gives_the_same_scores(subsampling: int, normalization: str) -> None:
    model = small(subsampling=subsampling, normalization=normalization)
    model(torch.randn(3, 9, 8), torch.tensor([9, 5, 6]))
    model.eval()
    sizes = [20, 7, 1, 18]
    utterances, batch = padded(sizes, 21)
    together, lengths = model(batch, torch.tensor(sizes))
    assert lengths.tolist() == [-(-size // subsampling) for size in sizes]
    for scores, utterance, length in zip(together, utterances, lengths, strict=True):
        alone, _ = model(utterance[None], torch.tensor([len(utterance)]))
        assert alone.shape == (1, length, 5)
        torch.testing.assert_close(scores[:length], alone[0], rtol=1e-12, atol=1e-12)


@each_normalization
def test_padding_enters_no_statistics(normalization: str) -> None:
    model = small(subsampling=2, normalization=normalization).train()
    sizes = [12, 6]
    _, batch = padded(sizes, 12)
    scores, lengths = model(batch, torch.tensor(sizes))
    more = torch.cat([batch, torch.full((2, 9, 8), float("inf"))], 1)
    with_more, _ = model(more, torch.tensor(sizes))
    for row, other, length in zip(scores, with_more, lengths, strict=True):
        torch.testing.assert_close(row[:length], other[:length], rtol=1e-12, atol=1e-12)


@each_subsampling
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_gradients_are_exact(subsampling: int, normalization: str) -> None:
    model = small(input_dim=4, subsampling=subsampling, normalization=normalization, layers=1, filters=4)
    with torch.no_grad():  # off the corners of the rectifiers, at which padding is while all biases are zero
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    features, lengths = torch.randn(2, 6, 4, requires_grad=True), torch.tensor([6, 3])
    mask = (torch.arange(-(-6 // subsampling)) < (-(-lengths // subsampling))[:, None])[..., None]

    def scores(features: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return model(features, lengths)[0] * mask

    assert torch.autograd.gradcheck(scores, (features, *model.parameters()), fast_mode=True)


def test_a_row_without_frames_leaves_gradients_finite() -> None:
    model = small()
    scores, lengths = model(torch.randn(2, 9, 8), torch.tensor([9, 0]))
    assert lengths.tolist() == [3, 0]
    scores[0].sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_trains_in_bf16_with_exact_positions() -> None:
    model = small(normalization="layer", subsampling=1).float()
    seen: list[Frames] = []
    model.blocks[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    features, lengths = torch.randn(2, 600, 8, dtype=torch.float32), torch.tensor([600, 400])
    model(features, lengths)
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(features, lengths)
    assert torch.equal(seen[0].cosines, seen[1].cosines)
    logits.float().square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_the_attention_reads_the_whole_utterance_and_its_order() -> None:
    model = small(subsampling=1, layers=1, kernel=1, normalization="none").eval()
    features = torch.randn(1, 30, 8)
    changed = features.clone()
    changed[0, 29] += 1
    swapped = features.clone()
    swapped[0, [20, 25]] = features[0, [25, 20]]  # far beyond what the convolutions in front read
    scores = [model(each, torch.tensor([30]))[0][0, 3] for each in (features, changed, swapped)]
    assert not torch.allclose(scores[0], scores[1])
    assert not torch.allclose(scores[0], scores[2])


def test_positions_are_relative() -> None:
    model = small(subsampling=1, layers=1).eval()
    seen: list[Frames] = []
    attention = model.blocks[0].attention
    attention.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    model(torch.randn(1, 12, 8), torch.tensor([12]))
    x, (frames,) = torch.randn(1, 6, 8), seen
    early, late, mirrored = (
        attention(x, Frames(frames.valid[:, :6], frames.cosines[places], frames.sines[places]))
        for places in (slice(0, 6), slice(6, 12), [5, 4, 3, 2, 1, 0])
    )
    torch.testing.assert_close(early, late, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(early, mirrored)


def test_deltas_are_maps_of_their_own() -> None:
    assert small(12, channels=3)(torch.randn(1, 4, 12), torch.tensor([4]))[0].shape == (1, 1, 5)


def test_what_does_not_fit_is_reported() -> None:
    with pytest.raises(InputError, match=r"model\.channels: 3 does not divide the 8 features"):
        small(channels=3)
    with pytest.raises(ValidationError, match=r"width \(9\) must be heads \(3\) times an even number"):
        ConformerConfig(width=9, heads=3)
    with pytest.raises(ValidationError, match=r"kernel \(4\) must be odd"):
        ConformerConfig(kernel=4)


def test_no_frames() -> None:
    assert small()(torch.zeros(1, 0, 8), torch.tensor([0]))[0].shape == (1, 0, 5)
