"""Conformer: attention over whole utterances, by positions that are relative."""

import pytest
import torch
from pydantic import ValidationError

from asr.config import ConformerConfig
from asr.errors import InputError
from asr.models import build
from asr.models.conformer import Conformer, Frames

pytestmark = pytest.mark.usefixtures("double_precision")
SMALL = {"filters": 2, "layers": 2, "width": 8, "heads": 2, "feed_forward": 6, "kernel": 3, "dropout": 0.0}


def small(input_dim: int = 8, **settings: object) -> Conformer:
    model = build(ConformerConfig.model_validate(SMALL | settings), input_dim, 5)
    assert isinstance(model, Conformer)
    return model


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


def test_what_does_not_fit_is_reported() -> None:
    with pytest.raises(InputError, match=r"model\.channels: 3 does not divide the 8 features"):
        small(channels=3)
    with pytest.raises(ValidationError, match=r"width \(9\) must be heads \(3\) times an even number"):
        ConformerConfig(width=9, heads=3)
    with pytest.raises(ValidationError, match=r"kernel \(4\) must be odd"):
        ConformerConfig(kernel=4)
