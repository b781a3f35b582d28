"""The compiled part of the prefix beam search: a tree of prefixes, and the probabilities of those that survive."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asr.compiled import compiled
from asr.decoding.search.growing import with_room
from asr.decoding.search.phone_prior import PhonePrior
from asr.phones.classes import BLANK

Integers = npt.NDArray[np.int32]
Logarithms = npt.NDArray[np.float64]
Records = npt.NDArray[np.void]

NEVER = -math.inf
PREFIX = np.dtype(
    [
        ("parent", "i4"),
        ("symbol", "i4"),
        ("child", "i4"),
        ("sibling", "i4"),
        ("slot", "i4"),
        ("history", "i4"),
        ("language", "f8"),
    ],
    align=True,
)
"""A node of the tree of prefixes: the prefix without its last symbol, that symbol, the first longer prefix and the next
one of the same parent (-1: none), its place in the beam (-1: none), the n-gram's history, and all that the prior has
added."""


class Beam(NamedTuple):
    """The prefixes that are kept, [K] nodes of the tree, and their natural log probabilities [M, K] by each model: of
    the alignments that end in a blank, and of those that end in the last phone."""

    prefixes: Integers
    blank: Logarithms
    phone: Logarithms


class Extended(NamedTuple):
    """The natural log probabilities one frame later: [M, K] of each prefix that ends in a blank, and [M, K, 1 + S] of
    it as it is (column 0) and of it with each symbol added, ending in the last phone."""

    blank: Logarithms
    phone: Logarithms


@compiled
def search_prefixes(frames: Logarithms, beam: int, prior: PhonePrior) -> tuple[Logarithms, Integers, Records]:
    """Scores and prefixes that are left after the last of `frames` [M, T, C], and the tree (PREFIX) of these nodes."""
    models, columns = len(frames), len(prior.phones) + 1
    tree, nodes = np.empty(1 << 12, PREFIX), int(np.int64(1))  # not a literal, which has another type
    size = nodes
    _set_prefix(tree, 0, -1, -1, prior.start, 0.0)
    kept = Beam(np.zeros(beam, np.int32), np.full((models, beam), NEVER), np.full((models, beam), NEVER))
    for model in range(models):
        kept.blank[model, 0] = 0.0
    following = Beam(np.zeros(beam, np.int32), np.empty((models, beam)), np.empty((models, beam)))
    extended = Extended(np.empty((models, beam)), np.empty((models, beam, columns)))
    candidates, places = np.empty(beam * columns), np.empty(beam * columns, np.int32)
    for time in range(frames.shape[1]):
        _extend(frames[:, time], prior.phones, tree, kept, size, extended)
        _merge(tree, kept.prefixes[:size], extended.phone)
        found = _candidates(tree, kept.prefixes[:size], prior, extended, candidates, places)
        tree = with_room(tree, nodes + beam)
        survivors = _best(candidates[:found], places, beam)
        nodes = _keep(tree, nodes, survivors, kept, extended, prior, following)
        kept, following, size = following, kept, len(survivors)
    return _final_scores(tree, kept, size, prior), kept.prefixes[:size], tree


@compiled
def _keep(
    tree: Records,
    nodes: int,
    survivors: Integers,
    kept: Beam,
    extended: Extended,
    prior: PhonePrior,
    following: Beam,
) -> int:
    """Fills `following` with the survivors, which are places as `_candidates` numbers them; returns the number of nodes
    of the tree."""
    blank, phone = extended
    prefixes, next_prefixes, next_blank, next_phone = (
        kept.prefixes,
        following.prefixes,
        following.blank,
        following.phone,
    )
    models, _, columns = phone.shape
    for number in range(len(survivors)):
        slot, column = survivors[number] // columns, survivors[number] % columns
        node = prefixes[slot]
        if column:
            node, nodes = _longer(tree, nodes, node, column - 1, prior)
        next_prefixes[number] = node
        for model in range(models):
            next_phone[model, number] = phone[model, slot, column]
            next_blank[model, number] = NEVER if column else blank[model, slot]
    return nodes


@compiled
def _final_scores(tree: Records, kept: Beam, size: int, prior: PhonePrior) -> Logarithms:
    final = np.empty(size)
    for slot in range(size):
        prefix = tree[kept.prefixes[slot]]
        total = 0.0
        for model in range(len(kept.blank)):
            total += np.logaddexp(kept.blank[model, slot], kept.phone[model, slot])
        final[slot] = total / len(kept.blank) + prefix.language + prior.weight * prior.ends[prefix.history]
    return final


@compiled
def _extend(frame: Logarithms, phones: Integers, tree: Records, kept: Beam, size: int, extended: Extended) -> None:
    """Fills `extended` for the first `size` prefixes and the log probabilities of the next frame [M, C]."""
    symbols = len(phones)
    prefixes, kept_blank, kept_phone = kept
    blank, phone = extended
    spoken = np.empty(symbols)
    for model in range(len(frame)):
        for symbol in range(symbols):
            spoken[symbol] = frame[model, phones[symbol] + 1]
        for slot in range(size):
            ends_blank, ends_phone = kept_blank[model, slot], kept_phone[model, slot]
            total, longer = np.logaddexp(ends_blank, ends_phone), phone[model, slot]
            blank[model, slot] = total + frame[model, BLANK]
            node = prefixes[slot]
            last = phones[tree[node].symbol] if node else -1
            longer[0] = ends_phone + frame[model, last + 1] if node else NEVER
            for symbol in range(symbols):
                # Directly after itself a phone is the same one: a second needs a blank between.
                before = ends_blank if phones[symbol] == last else total
                longer[symbol + 1] = before + spoken[symbol]


@compiled
def _merge(tree: Records, prefixes: Integers, phone: Logarithms) -> None:
    """Where a longer prefix is itself kept, moves what leads to it there from the prefix that it extends."""
    for slot in range(len(prefixes)):
        tree[prefixes[slot]].slot = slot
    for slot in range(len(prefixes)):
        child = tree[prefixes[slot]].child
        while child >= 0:
            place, column = tree[child].slot, tree[child].symbol + 1
            if place >= 0:
                for model in range(len(phone)):
                    phone[model, place, 0] = np.logaddexp(phone[model, place, 0], phone[model, slot, column])
                    phone[model, slot, column] = NEVER
            child = tree[child].sibling
    for slot in range(len(prefixes)):
        tree[prefixes[slot]].slot = -1


@compiled
def _candidates(
    tree: Records,
    prefixes: Integers,
    prior: PhonePrior,
    extended: Extended,
    candidates: Logarithms,
    places: Integers,
) -> int:
    """Fills `candidates` with the scores of the prefixes that may survive, and `places` with their slot times (1 + S)
    plus column; returns how many."""
    blank, phone = extended
    models, beam, columns = phone.shape
    share = 1.0 / models
    unchanged = np.empty(len(prefixes))
    for slot in range(len(prefixes)):
        unchanged[slot] = tree[prefixes[slot]].language
        for model in range(models):
            unchanged[slot] += share * np.logaddexp(blank[model, slot], phone[model, slot, 0])
    # Where unchanged prefixes fill the beam, what is worse than all of them cannot survive.
    least = _nth_highest(unchanged.copy(), beam) if len(prefixes) == beam else NEVER
    found, scores = 0, np.empty(columns)
    for slot in range(len(prefixes)):
        prefix = tree[prefixes[slot]]
        scores[0], language = unchanged[slot], prefix.language - prior.insertion_penalty
        for symbol in range(columns - 1):
            scores[symbol + 1] = language + prior.weight * prior.added[prefix.history, symbol]
        for model in range(models):
            for column in range(1, columns):
                scores[column] += share * phone[model, slot, column]
        for column in range(columns):
            if scores[column] >= least and scores[column] > NEVER:
                candidates[found], places[found] = scores[column], slot * columns + column
                found += 1
    return found


@compiled
def _best(candidates: Logarithms, places: Integers, count: int) -> Integers:
    """The places of the `count` highest candidates, or of all, in their order; among equal ones the first win."""
    count = min(count, len(candidates))
    best = np.empty(count, np.int32)
    if count == 0:
        return best
    threshold = _nth_highest(candidates.copy(), count)
    equal = count  # how many may be as good as the threshold
    for score in candidates:
        equal -= score > threshold
    number = 0
    for candidate in range(len(candidates)):
        score = candidates[candidate]
        if score > threshold or (score == threshold and equal > 0):
            equal -= score == threshold
            best[number] = places[candidate]
            number += 1
    return best


@compiled
def _nth_highest(values: Logarithms, count: int) -> float:
    """The lowest of the `count` highest values, which it moves about (Hoare 1961, Algorithm 65: find)."""
    low, high, wanted = 0, len(values) - 1, count - 1
    while low < high:
        pivot, left, right = values[(low + high) // 2], low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left, right = left + 1, right - 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return values[wanted]


@compiled
def _longer(tree: Records, nodes: int, node: int, symbol: int, prior: PhonePrior) -> tuple[int, int]:
    """The prefix with a symbol added, and the number of nodes, which grows where it is new."""
    child = tree[node].child
    while child >= 0 and tree[child].symbol != symbol:
        child = tree[child].sibling
    if child >= 0:
        return child, nodes
    prefix = tree[node]
    history = prefix.history
    language = prefix.language - prior.insertion_penalty + prior.weight * prior.added[history, symbol]
    _set_prefix(tree, nodes, node, symbol, prior.histories[history, symbol], language)
    tree[nodes].sibling = prefix.child
    prefix.child = nodes
    return nodes, nodes + 1


@compiled
def _set_prefix(tree: Records, number: int, parent: int, symbol: int, history: int, language: float) -> None:
    prefix = tree[number]
    prefix.parent, prefix.symbol, prefix.history, prefix.language = parent, symbol, history, language
    prefix.child = prefix.sibling = prefix.slot = -1
