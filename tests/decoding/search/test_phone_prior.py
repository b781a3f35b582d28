"""The tables of an n-gram against the n-gram itself."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.search.phone_prior import phone_prior
from asr.lm.backoff import Ngrams

PHONES = ("aa", "b", "zh")
LOGS = st.floats(-9, 0)


@st.composite
def models(draw: st.DrawFn) -> Ngrams:
    """Any back-off model: n-grams whose histories are not listed, weights where nothing follows, symbols of others."""
    symbols = st.sampled_from([*PHONES, "<s>", "foreign"])
    order = draw(st.integers(1, 9))
    longer = (
        draw(st.lists(st.lists(symbols, min_size=1, max_size=order - 1).map(tuple), max_size=12)) if order > 1 else []
    )
    last = st.sampled_from([*PHONES, "</s>", "foreign"])
    ngrams = {(*history, draw(last)) for history in longer} | {
        (symbol,) for symbol in (*PHONES, "</s>", "<s>", "foreign")
    }
    if order > 1:
        ngrams |= {("aa",) * order}
    probabilities = {ngram: draw(LOGS) for ngram in sorted(ngrams)} | {("<s>",): -math.inf}
    weighted = [ngram for ngram in sorted(ngrams) if len(ngram) < order and draw(st.booleans())]
    return Ngrams(order, probabilities, {ngram: draw(st.floats(-3, 3)) for ngram in weighted})


@settings(max_examples=150, deadline=None)
@given(model=models(), data=st.data())
def test_each_symbol_adds_what_the_model_says(model: Ngrams, data: st.DataObject) -> None:
    listed = data.draw(st.lists(st.sampled_from(sorted(model.probabilities)), max_size=6))
    said = [symbol for ngram in listed for symbol in ngram if symbol in PHONES]
    prior = phone_prior(model.packed(), PHONES)
    symbols = ("<s>", *said, "</s>")
    state, added = prior.start, []
    for phone in map(PHONES.index, said):
        added.append(prior.added[state, phone])
        state = prior.histories[state, phone]
    added.append(prior.ends[state])
    expected = [model.log_probability(symbols[:place], symbols[place]) for place in range(1, len(symbols))]
    assert added == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert [PHONES[phone] for phone in prior.phones] == sorted(PHONES)
