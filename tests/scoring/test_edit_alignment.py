from functools import cache

import kaldialign
from hypothesis import given
from hypothesis import strategies as st

from asr.scoring.edit_alignment import MARKS, Counts, count_errors, edit_alignment, outcome_of

STRINGS = st.lists(st.sampled_from(["sil", "aa", "b", "iy"]), max_size=7)
LONGER = st.lists(st.sampled_from(["sil", "aa", "b", "iy", "s", "t"]), max_size=30)
SILENCE = frozenset({"sil"})


def weight(counts: Counts) -> int:
    return 4 * counts.substitutions + 3 * (counts.insertions + counts.deletions)


def least_weight(reference: tuple[str, ...], hypothesis: tuple[str, ...], deletable: frozenset[str]) -> int:
    """By trying every alignment."""

    @cache
    def rest(i: int, j: int) -> int:
        choices = []
        if i < len(reference):
            choices.append(rest(i + 1, j) + (2 if reference[i] in deletable else 3))
        if j < len(hypothesis):
            choices.append(rest(i, j + 1) + 3)
        if i < len(reference) and j < len(hypothesis):
            choices.append(rest(i + 1, j + 1) + (0 if reference[i] == hypothesis[j] else 4))
        return min(choices, default=0)

    return rest(0, 0)


@given(LONGER, LONGER, st.sampled_from([frozenset(), SILENCE]))
def test_an_alignment_holds_both_strings_in_order(
    reference: list[str], hypothesis: list[str], deletable: frozenset[str]
) -> None:
    pairs = edit_alignment(reference, hypothesis, deletable)
    assert [symbol for symbol, _ in pairs if symbol is not None] == reference
    assert [symbol for _, symbol in pairs if symbol is not None] == hypothesis
    assert (None, None) not in pairs


@given(LONGER, LONGER)
def test_counts_agree_with_the_lengths(reference: list[str], hypothesis: list[str]) -> None:
    counts = count_errors(edit_alignment(reference, hypothesis))
    assert counts.reference_phones == len(reference)
    assert counts.insertions - counts.deletions == len(hypothesis) - len(reference)
    assert counts.errors >= abs(len(hypothesis) - len(reference))
    assert counts.substitutions + counts.deletions <= len(reference)


@given(STRINGS)
def test_a_string_against_itself_has_no_errors(symbols: list[str]) -> None:
    assert count_errors(edit_alignment(symbols, symbols)) == Counts(0, 0, 0, len(symbols))


@given(LONGER, LONGER)
def test_swapping_the_sides_swaps_insertions_and_deletions(reference: list[str], hypothesis: list[str]) -> None:
    forward, backward = (
        count_errors(edit_alignment(reference, hypothesis)),
        count_errors(edit_alignment(hypothesis, reference)),
    )
    assert weight(forward) == weight(backward)
    assert forward.insertions - forward.deletions == backward.deletions - backward.insertions


@given(LONGER, LONGER)
def test_the_weight_is_kaldialigns(reference: list[str], hypothesis: list[str]) -> None:
    theirs = kaldialign.edit_distance(reference, hypothesis, sclite_mode=True)
    assert weight(count_errors(edit_alignment(reference, hypothesis))) == 4 * theirs["sub"] + 3 * (
        theirs["ins"] + theirs["del"]
    )


@given(STRINGS, STRINGS, st.sampled_from([frozenset(), SILENCE]))
def test_no_alignment_weighs_less(reference: list[str], hypothesis: list[str], deletable: frozenset[str]) -> None:
    pairs = edit_alignment(reference, hypothesis, deletable)
    forgiven = sum(hyp is None and ref in deletable for ref, hyp in pairs)
    total = weight(count_errors(pairs, deletable)) + 2 * forgiven
    assert total == least_weight(tuple(reference), tuple(hypothesis), deletable)


@given(STRINGS, STRINGS)
def test_a_deletable_silence_costs_what_leaving_it_out_of_the_reference_costs(
    reference: list[str], hypothesis: list[str]
) -> None:
    """Brute force: over every choice of silences to take out of the reference, at 2 each."""
    at = [index for index, symbol in enumerate(reference) if symbol == "sil"]
    choices = []
    for bits in range(2 ** len(at)):
        dropped = {index for place, index in enumerate(at) if bits >> place & 1}
        kept = [symbol for index, symbol in enumerate(reference) if index not in dropped]
        choices.append(weight(count_errors(edit_alignment(kept, hypothesis))) + 2 * len(dropped))
    pairs = edit_alignment(reference, hypothesis, SILENCE)
    forgiven = sum(pair == ("sil", None) for pair in pairs)
    assert weight(count_errors(pairs, SILENCE)) + 2 * forgiven == min(choices)


def test_a_missing_silence_is_no_error_and_still_a_reference_phone() -> None:
    pairs = edit_alignment(["sil", "sh", "sil", "iy"], ["sh", "iy"], SILENCE)
    assert pairs == [("sil", None), ("sh", "sh"), ("sil", None), ("iy", "iy")]
    assert count_errors(pairs, SILENCE) == Counts(0, 0, 0, 4)
    assert count_errors(pairs) == Counts(0, 2, 0, 4)


def test_a_wrong_silence_is_still_an_error() -> None:
    assert count_errors(edit_alignment(["sil", "iy"], ["b", "iy"], SILENCE), SILENCE) == Counts(1, 0, 0, 2)
    assert count_errors(edit_alignment(["iy"], ["sil", "iy"], SILENCE), SILENCE) == Counts(0, 0, 1, 1)


def test_empty_sides() -> None:
    assert edit_alignment([], []) == []
    assert count_errors(edit_alignment([], ["aa"])) == Counts(insertions=1)
    assert count_errors(edit_alignment(["aa"], [])) == Counts(deletions=1, reference_phones=1)
    assert Counts().per is None


def test_outcomes_add_up_to_the_counts() -> None:
    pairs = edit_alignment(["sh", "iy", "s", "ae", "t"], ["sh", "ih", "s", "t", "d"])
    assert list(map(outcome_of, pairs)) == ["right", "substituted", "right", "deleted", "right", "inserted"]
    assert "".join(MARKS[outcome_of(pair)] for pair in pairs) == "SDI"
    assert count_errors(pairs) == Counts(1, 1, 1, 5)
