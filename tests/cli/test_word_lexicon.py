"""The lexicon of a page on which words are aligned."""

import importlib.util

import pytest

from asr.cli.options import chosen_lexicon


def test_without_the_dictionary_it_says_that_only_phones_can_be_aligned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert chosen_lexicon(None) is None
    assert "Only phones can be aligned" in caplog.text


def test_another_lexicon_or_none_may_be_given() -> None:
    assert chosen_lexicon("words.dict") == "words.dict"
    assert chosen_lexicon("none") is None
