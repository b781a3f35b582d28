"""CTC's forward-backward equals PyTorch's in value and gradient."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from asr.models.kernels.ctc import ctc

BLANK = 0


@st.composite
def minibatches(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits [B, T, 4] from flat to peaked, their lengths, labels with repetitions, and their counts, some zero or more
    than the frames allow."""
    batch, frames, most = draw(st.integers(1, 4)), draw(st.integers(1, 9)), draw(st.integers(1, 5))
    lengths = draw(st.lists(st.integers(1, frames), min_size=batch, max_size=batch))
    counts = draw(st.lists(st.integers(0, most), min_size=batch, max_size=batch))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    labels = torch.randint(1, draw(st.sampled_from([2, 4])), (batch, most), generator=generator)
    logits = torch.randn(batch, frames, 4, generator=generator, dtype=torch.float64) * draw(st.sampled_from([0, 1, 30]))
    return logits.requires_grad_(), torch.tensor(lengths), labels, torch.tensor(counts)


def reference(log_posteriors: Tensor, lengths: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    """PyTorch's: zero, without a gradient, for a sequence that does not fit."""
    arguments = log_posteriors.transpose(0, 1), labels, lengths, counts
    return functional.ctc_loss(*arguments, blank=BLANK, reduction="none", zero_infinity=True)


@given(minibatches())
def test_is_pytorch_s(minibatch: tuple[Tensor, Tensor, Tensor, Tensor]) -> None:
    logits, *rest = minibatch
    losses = ctc(logits.log_softmax(-1), *rest, BLANK)
    fits = losses.isfinite()
    expected = reference(logits.log_softmax(-1), *rest)
    unbounded = functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1), rest[1], rest[0], rest[2], blank=BLANK, reduction="none"
    )
    assert torch.equal(unbounded.isfinite(), fits)
    torch.testing.assert_close(losses.where(fits, 0.0), expected, rtol=1e-9, atol=1e-9)
    weight = torch.arange(1.0, len(fits) + 1)
    (found,) = torch.autograd.grad((losses.where(fits, 0.0) * weight).sum(), logits)
    (wanted,) = torch.autograd.grad((expected * weight).sum(), logits)
    torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-9)


def test_single_precision_of_a_long_utterance() -> None:
    torch.manual_seed(0)
    logits = (4 * torch.randn(3, 400, 62)).requires_grad_()
    labels, lengths, counts = torch.randint(1, 62, (3, 80)), torch.tensor([400, 390, 200]), torch.tensor([80, 70, 10])
    losses = ctc(logits.log_softmax(-1), lengths, labels, counts, BLANK)
    exact = logits.detach().double().requires_grad_()
    expected = reference(exact.log_softmax(-1), lengths, labels, counts)
    torch.testing.assert_close(losses.double(), expected, rtol=1e-6, atol=1e-4)
    (found,) = torch.autograd.grad(losses.sum(), logits)
    (wanted,) = torch.autograd.grad(expected.sum(), exact)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-5)
