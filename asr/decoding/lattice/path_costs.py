"""The costs of the best paths through a decoding graph, from both ends, by a compiled full-search Viterbi."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.decoding.graph.flat_graph import FlatGraph

Costs = npt.NDArray[np.float64]


class PathCosts(NamedTuple):
    """The costs of each frame's classes [T, C]; and [T + 1, S] those of the best paths from the start to each state,
    from there to the end, and to the end where a phone is entered at once."""

    frames: Costs
    to_here: Costs
    to_end: Costs
    leaving: Costs


def path_costs(flat: FlatGraph, frame_costs: Costs) -> PathCosts:
    """The costs of all places of a graph for the scaled negative log scores `frame_costs` [T, C]."""
    return PathCosts(frame_costs, _costs_to_here(flat, frame_costs), *_costs_to_end(flat, frame_costs))


@compiled
def _costs_to_here(graph: FlatGraph, frame_costs: Costs) -> Costs:
    """[T + 1, S] the cost of the best path from the start to each state after each frame."""
    frames = len(frame_costs)
    to_here = np.full((frames + 1, graph.states), np.inf)
    to_here[0, graph.start] = 0.0
    _follow_free(graph, to_here[0])
    for frame in range(frames):
        now, following = to_here[frame], to_here[frame + 1]
        for state in range(graph.states):
            if now[state] == np.inf:
                continue
            for arc in range(graph.first[state], graph.first[state + 1]):
                total = now[state] + graph.costs[arc] + frame_costs[frame, graph.labels[arc]]
                following[graph.targets[arc]] = min(following[graph.targets[arc]], total)
        _follow_free(graph, following)
    return to_here


@compiled
def _follow_free(graph: FlatGraph, costs: Costs) -> None:
    """Lowers the costs [S] of the states that are reached without a frame from cheaper ones."""
    for arc in range(len(graph.free_sources)):
        reached = costs[graph.free_sources[arc]] + graph.free_costs[arc]
        costs[graph.free_targets[arc]] = min(costs[graph.free_targets[arc]], reached)


@compiled
def _costs_to_end(graph: FlatGraph, frame_costs: Costs) -> tuple[Costs, Costs]:
    """[T + 1, S] the cost of the best path from each state to the end, and of the best one that enters a phone there
    at once or, after the last frame, ends."""
    frames = len(frame_costs)
    to_end = np.full((frames + 1, graph.states), np.inf)
    leaving = np.full((frames + 1, graph.states), np.inf)
    for state in range(graph.states):
        to_end[frames, state] = leaving[frames, state] = graph.finals[state]
    _follow_free_back(graph, to_end[frames])
    for frame in range(frames - 1, -1, -1):
        now, following = to_end[frame], to_end[frame + 1]
        for state in range(graph.states):
            best, best_leaving = np.inf, np.inf
            for arc in range(graph.first[state], graph.first[state + 1]):
                total = graph.costs[arc] + frame_costs[frame, graph.labels[arc]] + following[graph.targets[arc]]
                best = min(best, total)
                if graph.phones[arc] >= 0:
                    best_leaving = min(best_leaving, total)
            now[state], leaving[frame, state] = best, best_leaving
        _follow_free_back(graph, now)
    return to_end, leaving


@compiled
def _follow_free_back(graph: FlatGraph, costs: Costs) -> None:
    """Lowers the costs [S] to the end of the states that lead to cheaper ones without a frame."""
    for arc in range(len(graph.free_sources) - 1, -1, -1):
        reached = graph.free_costs[arc] + costs[graph.free_targets[arc]]
        costs[graph.free_sources[arc]] = min(costs[graph.free_sources[arc]], reached)
