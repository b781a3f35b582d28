"""CTC's forward-backward over batched log probabilities: the same sums in every run, and none of them on the host."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def ctc(log_posteriors: Tensor, lengths: Tensor, labels: Tensor, counts: Tensor, blank: int) -> Tensor:
    """-log P(labels) of each utterance [B] by CTC (Graves et al. 2006), as `torch.nn.functional.ctc_loss` defines it.

    Takes log posteriors [B, T, C] of `lengths` [B] frames, and labels [B, U] of which the first `counts` [B] count.
    A sequence that does not fit its frames has an infinite loss and no gradient. Sums are in float64.
    """
    losses: Tensor = _Ctc.apply(log_posteriors, lengths, labels, counts, blank)
    return losses


class _Ctc(torch.autograd.Function):
    """Graves et al. 2006, section 4.1: the gradient is minus the probability of each class in each frame, given the
    labels. Both directions of the recursion run as one batch."""

    @staticmethod
    def forward(
        ctx: Any, log_posteriors: Tensor, lengths: Tensor, labels: Tensor, counts: Tensor, blank: int
    ) -> Tensor:
        batch, frames, classes = log_posteriors.shape
        states = _with_blanks(labels, blank)
        ends = 2 * counts[:, None]  # the last state of each utterance
        state = torch.arange(states.shape[1], device=states.device)
        frame = torch.arange(frames, device=states.device)
        mirrored_state = (ends - state).clamp(min=0)
        mirrored_frame = (lengths[:, None] - 1 - frame).clamp(min=0)
        scores = log_posteriors.double().gather(2, states[:, None].expand(-1, frames, -1))
        mirrored = _reordered(scores, mirrored_frame, mirrored_state)
        sequences = torch.cat([states, states.gather(1, mirrored_state)])
        lattice = _scan(torch.cat([scores, mirrored]), sequences, blank)
        ahead, back = lattice[:, :batch].transpose(0, 1), lattice[:, batch:].transpose(0, 1)
        last = ahead.gather(1, (lengths - 1).clamp(min=0)[:, None, None].expand(-1, -1, ahead.shape[2]))[:, 0]
        before_last = last.gather(1, (ends - 1).clamp(min=0)).masked_fill(ends < 1, -torch.inf)
        total = torch.logaddexp(last.gather(1, ends), before_last)  # log P(labels) [B, 1]
        total = total.masked_fill(lengths[:, None] < 1, -torch.inf)
        # A path through a state is counted in both directions, and so is its score there.
        occupied = (ahead - scores + _reordered(back, mirrored_frame, mirrored_state) - total[..., None]).exp()
        inside = (frame < lengths[:, None])[..., None] & (state <= ends)[:, None] & total.isfinite()[..., None]
        occupied = torch.where(inside, occupied, 0.0)
        # As a product, because a scattered sum on CUDA has no fixed order.
        class_of_state = states[..., None] == torch.arange(classes, device=states.device)
        ctx.save_for_backward(occupied @ class_of_state.double())
        ctx.dtype = log_posteriors.dtype
        return -total[:, 0].to(log_posteriors.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (shares,) = ctx.saved_tensors
        return (-grad[:, None, None] * shares).to(ctx.dtype), None, None, None, None


def _with_blanks(labels: Tensor, blank: int) -> Tensor:
    """Labels [B, U] with a blank around each: [B, 2U + 1]."""
    between = torch.stack([torch.full_like(labels, blank), labels], -1).flatten(1)
    return torch.nn.functional.pad(between, (0, 1), value=blank)


def _reordered(x: Tensor, frame: Tensor, state: Tensor) -> Tensor:
    """Takes frames [B, T] and states [B, S] of x [B, T, S]."""
    over_time = x.gather(1, frame[..., None].expand_as(x))
    return over_time.gather(2, state[:, None].expand_as(x))


def _scan(scores: Tensor, states: Tensor, blank: int) -> Tensor:
    """Log of the summed probability of all paths to each state: scores [B, T, S] of states [B, S] -> [T, B, S].

    A path stays, moves on to the next state, or skips a blank between two different labels.
    """
    batch, frames, count = scores.shape
    before = torch.nn.functional.pad(states, (2, 0), value=blank)[:, :count]
    skip = torch.where((states != blank) & (states != before), 0.0, -torch.inf).double()
    lattice = scores.new_full((frames, batch, count + 2), -torch.inf)  # two states that no path reaches, in front
    paths, moved, skipped = lattice[..., 2:], lattice[..., 1:-1], lattice[..., :-2]
    of_frame = scores.transpose(0, 1).contiguous()
    paths[0, :, :2] = of_frame[0, :, :2]
    skipping = torch.empty_like(skip)
    steps = zip(paths[:-1], moved[:-1], skipped[:-1], paths[1:], of_frame[1:], strict=True)
    for stay, move, jump, following, score in steps:
        torch.add(jump, skip, out=skipping)
        torch.logaddexp(stay, move, out=following)
        torch.logaddexp(following, skipping, out=following)
        following.add_(score)
    return paths
