"""A transcript with a field of the wrong type is one line that names the field."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.errors import InputError
from asr.formats.transcript import (
    Alternative,
    PhoneSegment,
    Transcript,
    WordSegment,
    read_recognised,
    read_transcripts,
    recognised,
    write_transcripts,
)


@pytest.mark.parametrize("read", [read_transcripts, read_recognised])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"utterance": 1}, "utterance must be a string"),
        ({"speaker": ["s"]}, "speaker must be text, not ['s']"),
        ({"audio": {}}, "audio must be text, not {}"),
        ({"duration": "1"}, "duration must be a number, not '1'"),
        ({"phones": {"aa": 1}}, "phones must be a list, not {'aa': 1}"),
        ({"phones": ["aa"]}, "phones[0] must be an object, not 'aa'"),
        ({"phones": [{"phone": "aa", "start": [0]}]}, "phones[0].start must be a number, not [0]"),
        ({"phones": [{"phone": ""}]}, "phones[0].phone must be a phone symbol, not ''"),
        ({"phones": [{"start": 0.0}]}, "field 'phone' is missing"),
        ({"words": [1]}, "words[0] must be an object, not 1"),
        ({"nbest": [{"phones": [], "score": None}]}, "nbest[0].score must be a number, not null"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, read: Callable, fields: dict[str, object], expected: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"utterance": "u", "phones": [], **fields}) + "\n")
    with pytest.raises(InputError) as caught:
        list(read(path))
    assert str(caught.value) == f"{path}:1: not a transcript: {expected}"


def test_n_best_hypotheses_are_read_back(tmp_path: Path) -> None:
    best = Transcript("u", nbest=[Alternative([PhoneSegment("aa", 0.0, 0.1)], 0.75), Alternative([], 0.25)])
    write_transcripts(tmp_path / "t.jsonl", [best])
    assert list(read_transcripts(tmp_path / "t.jsonl")) == [best]


def test_scoring_reads_the_same_symbols_and_scores(tmp_path: Path) -> None:
    phones = [PhoneSegment("aa", 0.0, 0.1, 0.5), PhoneSegment("b")]
    written = [
        Transcript("plain", phones, "ann", "/x.wav", 1.0),
        Transcript("words", phones, words=[WordSegment("a", 0.0, 0.1)]),
        Transcript("silent"),
    ]
    write_transcripts(tmp_path / "t.jsonl", written)
    with open(tmp_path / "t.jsonl", "a") as file:
        file.write('{"utterance": "whole", "duration": 2, "phones": [{"phone": "s", "start": 0, "end": 1}]}\n')
    written.append(Transcript("whole", [PhoneSegment("s", 0.0, 1.0)], duration=2.0))
    assert list(read_recognised(tmp_path / "t.jsonl")) == [recognised(each) for each in written]
