"""Slow, exact searches that the decoder is compared with."""

import itertools
import math

import numpy as np


def best_by_enumeration(ngrams, phones, states, self_loops, scores, penalty):
    """The lowest cost over every phone sequence and every way to divide the frames; knows nothing of graphs."""
    best = (math.inf, None)
    for divided in _divisions(len(scores), states):
        for sequence in itertools.product(range(len(phones)), repeat=len(divided)):
            cost = sentence_cost(ngrams, [phones[phone] for phone in sequence]) + penalty * len(sequence)
            frame, spans = 0, []
            for phone, durations in zip(sequence, divided, strict=True):
                first = frame
                for state, duration in enumerate(durations):
                    label = phone * states + state
                    cost -= float(scores[frame : frame + duration, label].sum(dtype=np.float64))
                    cost -= (duration - 1) * math.log(self_loops[label]) + math.log(1 - self_loops[label])
                    frame += duration
                spans.append((phone, first, frame))
            best = min(best, (cost, spans))
    return best


def _divisions(frames, states):
    """Every division of the frames into phones of `states` durations of at least one frame."""
    if frames == 0:
        yield []
    for total in range(states, frames + 1):
        for cuts in itertools.combinations(range(1, total), states - 1):
            durations = tuple(end - start for start, end in itertools.pairwise((0, *cuts, total)))
            for rest in _divisions(frames - total, states):
                yield [durations, *rest]


def sentence_cost(ngrams, sentence):
    """-log P of a sentence where a history may be shortened, at the cost of its back-off, before any symbol."""
    costs = {("<s>",): 0.0}
    for symbol in (*sentence, "</s>"):
        following = {}
        for history, cost in costs.items():
            for start in range(len(history) + 1):
                ngram = (*history[start:], symbol)
                if (log_probability := ngrams.probabilities.get(ngram)) is not None:
                    following[ngram] = min(following.get(ngram, math.inf), cost - log_probability)
                cost -= ngrams.backoffs.get(history[start:], 0.0)
        costs = following
    return min(costs.values())


def best_by_full_search(graph, scores, penalty=0.0):
    """The cost of the best complete path by Viterbi without a beam, over the graph's arcs."""
    costs = [math.inf] * graph.states
    costs[graph.start] = 0.0
    _follow_epsilons(graph, costs)
    for frame in scores.astype(np.float64):
        following = [math.inf] * graph.states
        for source, target, ilabel, olabel, cost in graph.arcs:
            if ilabel:
                total = costs[source] + cost - frame[ilabel - 1] + (penalty if olabel else 0.0)
                following[target] = min(following[target], total)
        costs = following
        _follow_epsilons(graph, costs)
    return min(costs[state] + cost for state, cost in graph.finals.items())


def _follow_epsilons(graph, costs):
    changed = True
    while changed:
        changed = False
        for source, target, ilabel, _, cost in graph.arcs:
            if not ilabel and costs[source] + cost < costs[target] - 1e-12:
                costs[target] = costs[source] + cost
                changed = True


def all_paths(graph, scores, penalty=0.0):
    """Every complete path, as (classes, phones entered with their frame, cost); for a handful of frames."""
    leaving = {state: [] for state in range(graph.states)}
    for source, *arc in graph.arcs:
        leaving[source].append(arc)
    found, open_paths = [], [(graph.start, (), (), 0.0)]
    while open_paths:
        state, classes, entered, cost = open_paths.pop()
        if len(classes) == len(scores) and state in graph.finals:
            found.append((classes, entered, cost + graph.finals[state]))
        for target, ilabel, olabel, arc_cost in leaving[state]:
            total = cost + arc_cost + (penalty if olabel else 0.0)
            entering = ((olabel - 1, len(classes)),) if olabel else ()
            if not ilabel:
                open_paths.append((target, classes, entered + entering, total))
            elif len(classes) < len(scores):
                total -= float(scores[len(classes), ilabel - 1])
                open_paths.append((target, (*classes, ilabel - 1), entered + entering, total))
    return found
