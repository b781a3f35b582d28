"""Full-search Viterbi over whole batches: exact, on the CPU or on CUDA, for every utterance and every weight at once.

It is the reference for the beam search, and the search for devices on which a batch costs hardly more than an
utterance. States are renumbered by how many arcs enter them, so that the best of a state's arcs is the minimum of a row
of a dense table: a frame takes a few tensor operations, and none of them waits for the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asr.decoding.graph.flat_graph import chain_depths, flatten
from asr.decoding.graph.topology import Graph
from asr.decoding.search.path import NO_FRAMES, BestPath, PhoneSpan
from asr.errors import InputError

Indices = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Weights:
    """The factor of the acoustic scores, and the cost (nats) of each phone."""

    acoustic_scale: float = 1.0
    insertion_penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class _Arcs:
    """The arcs that enter some states: a row [K] for each state, padded with arcs of infinite cost."""

    states: Tensor
    sources: Tensor
    labels: Tensor
    phones: Tensor
    costs: Tensor


class BatchViterbi:
    """Exact best paths through one graph."""

    def __init__(self, graph: Graph, device: torch.device | str = "cpu") -> None:
        """Raises ValueError for a graph where an arc that consumes no frame enters a phone, or where such arcs form a
        cycle."""
        flat = flatten(graph)
        if (flat.free_phones >= 0).any():
            raise ValueError("an arc without an input label enters a phone")
        self.device, self.classes = torch.device(device), flat.classes
        degrees = np.bincount(flat.targets, minlength=flat.states)
        widths = np.exp2(np.ceil(np.log2(np.maximum(degrees, 1)))).astype(np.int64)
        order = np.argsort(widths, kind="stable")
        renumbered = np.argsort(order)
        self._start = int(renumbered[flat.start])
        self._finals = self._on_device(flat.finals[order])
        self._renumbered = self._on_device(renumbered)
        sources, targets = renumbered[flat.sources], renumbered[flat.targets]
        arcs = (sources, targets, flat.labels, flat.phones, flat.costs)
        self._entering = self._rows(np.arange(flat.states), *arcs)
        by_width = [np.flatnonzero(widths[order] == width) for width in np.unique(widths)]
        self._groups = [self._rows(states, *arcs) for states in by_width]
        free_sources, free_targets = renumbered[flat.free_sources], renumbered[flat.free_targets]
        free = (free_sources, free_targets, np.zeros_like(free_sources), flat.free_phones, flat.free_costs)
        self._free_entering = self._rows(np.arange(flat.states), *free)
        depths = chain_depths(free_sources, free_targets, flat.states)
        levels = [np.flatnonzero(depths == depth) for depth in range(1, depths.max(initial=0) + 1)]
        self._free_levels = [self._rows(states, *free) for states in levels]

    @property
    def frame_bytes(self) -> int:
        """Bytes of memory for a frame of one utterance with one of the weights."""
        return 8 * (len(self._finals) + self.classes)

    def best_paths(self, scores: Tensor, lengths: Sequence[int], weights: Sequence[Weights]) -> list[list[BestPath]]:
        """The best path of each utterance with each of the weights, [B][W], from padded log scores [B, T, C].

        Takes `frame_bytes` times B * W * (T + 1). Raises InputError for scores that are not finite,
        ValueError for another number of classes than the graph's, and for a graph without a path of so many frames.
        """
        if scores.ndim != 3 or scores.shape[2] != self.classes:
            raise ValueError(f"scores of shape {tuple(scores.shape)} for a graph of {self.classes} classes")
        if not torch.isfinite(scores).all():
            raise InputError("acoustic scores are not finite; check the audio: are its samples within -1 to 1?")
        scales = self._on_device(np.array([weight.acoustic_scale for weight in weights], np.float64))
        penalties = self._on_device(np.array([weight.insertion_penalty for weight in weights], np.float64))
        frame_costs = -scales[:, None] * scores.to(self.device, torch.float64)[:, :, None]  # [B, T, W, C]
        costs = self._forward(frame_costs, penalties)
        ends = torch.as_tensor(lengths, device=self.device)
        classes, entered, best, complete = self._backward(costs, frame_costs, penalties, ends)
        return _paths(classes.cpu().numpy(), entered.cpu().numpy(), best.cpu().numpy(), complete.cpu().numpy(), lengths)

    def _forward(self, frame_costs: Tensor, penalties: Tensor) -> Tensor:
        """[T + 1, B, W, S] the lowest cost of each state after each frame."""
        utterances, frames, weights, _ = frame_costs.shape
        shape = (frames + 1, utterances, weights, len(self._finals))
        costs = torch.full(shape, torch.inf, dtype=torch.float64, device=self.device)
        costs[0, :, :, self._start] = 0.0
        weighted = [group.costs + penalties[:, None, None] * (group.phones >= 0) for group in self._groups]
        for frame in range(frames + 1):
            if frame:
                before, scored = costs[frame - 1], frame_costs[:, frame - 1]
                best = [
                    (before[..., group.sources] + own + scored[..., group.labels]).amin(-1)
                    for group, own in zip(self._groups, weighted, strict=True)
                ]
                torch.cat(best, -1, out=costs[frame])
            for level in self._free_levels:
                reached = (costs[frame][..., level.sources] + level.costs).amin(-1)
                costs[frame][..., level.states] = torch.minimum(costs[frame][..., level.states], reached)
        return costs

    def _backward(
        self, costs: Tensor, frame_costs: Tensor, penalties: Tensor, ends: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Class and entered phone (-1: none) of each frame [B, W, T]; cost and completeness of the path [B, W].

        Which arc was best is not kept on the way forward but found again, along the best path alone.
        """
        utterances, frames, weights, _ = frame_costs.shape
        utterance = torch.arange(utterances, device=self.device)
        last = costs[ends, utterance]  # [B, W, S]
        complete = torch.isfinite(last + self._finals).any(-1)
        best = torch.where(complete[..., None], last + self._finals, last)[..., self._renumbered].min(-1)
        state = self._renumbered[best.indices]
        classes = torch.zeros((frames, utterances, weights), dtype=torch.int64, device=self.device)
        entered = torch.full_like(classes, -1)
        entering, free = self._entering, self._free_entering
        for frame in range(frames, 0, -1):
            inside = (ends >= frame)[:, None]
            before, scored = costs[frame - 1], frame_costs[:, frame - 1]
            for _ in self._free_levels:
                arrived = _arrivals(entering, before, scored, penalties, state).amin(-1)
                passed = (costs[frame].gather(-1, free.sources[state]) + free.costs[state]).min(-1)
                source = free.sources[state].gather(-1, passed.indices[..., None])[..., 0]
                state = torch.where(inside & (passed.values < arrived), source, state)
            arc = _arrivals(entering, before, scored, penalties, state).argmin(-1)[..., None]
            classes[frame - 1] = entering.labels[state].gather(-1, arc)[..., 0]
            entered[frame - 1] = entering.phones[state].gather(-1, arc)[..., 0]
            state = torch.where(inside, entering.sources[state].gather(-1, arc)[..., 0], state)
        return classes.permute(1, 2, 0), entered.permute(1, 2, 0), best.values, complete

    def _rows(
        self, states: Indices, sources: Indices, targets: Indices, labels: Indices, phones: Indices, costs: npt.NDArray
    ) -> _Arcs:
        """The arcs that enter `states`, in their order."""
        entering = [np.flatnonzero(targets == state) for state in states]
        shape = (len(states), max((len(arcs) for arcs in entering), default=0) or 1)
        tables = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1), np.full(shape, np.inf)
        for row, arcs in enumerate(entering):
            for table, values in zip(tables, (sources, labels, phones, costs), strict=True):
                table[row, : len(arcs)] = values[arcs]
        return _Arcs(self._on_device(states), *(self._on_device(table) for table in tables))

    def _on_device(self, values: npt.NDArray) -> Tensor:
        return torch.from_numpy(values).to(self.device)


def _arrivals(arcs: _Arcs, before: Tensor, scored: Tensor, penalties: Tensor, state: Tensor) -> Tensor:
    """[B, W, K] the cost of arriving in `state` [B, W] along each arc that consumes a frame."""
    own = arcs.costs[state] + penalties[:, None] * (arcs.phones[state] >= 0)
    return before.gather(-1, arcs.sources[state]) + own + scored.gather(-1, arcs.labels[state])


def _paths(
    classes: npt.NDArray[np.int64],
    entered: npt.NDArray[np.int64],
    costs: npt.NDArray[np.float64],
    complete: npt.NDArray[np.bool_],
    lengths: Sequence[int],
) -> list[list[BestPath]]:
    if not np.isfinite(costs).all():
        raise ValueError("the graph has no path of so many frames")
    return [
        [
            _path(
                classes[row, weight, :length], entered[row, weight, :length], costs[row, weight], complete[row, weight]
            )
            for weight in range(classes.shape[1])
        ]
        for row, length in enumerate(lengths)
    ]


def _path(classes: npt.NDArray[np.int64], entered: npt.NDArray[np.int64], cost: float, complete: bool) -> BestPath:
    if len(classes) == 0:
        return NO_FRAMES
    firsts = np.flatnonzero(entered >= 0).tolist()
    ends = [*firsts, len(classes)][1:]
    phones = [PhoneSpan(*span) for span in zip(entered[firsts].tolist(), firsts, ends, strict=True)]
    return BestPath(phones, classes, float(cost), bool(complete))
