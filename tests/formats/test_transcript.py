"""A transcript with a field of the wrong type is one line that names the field."""

import json
from pathlib import Path

import pytest

from asr.errors import InputError
from asr.formats.transcript import read_transcripts


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
        ({"words": [1]}, "words[0] must be an object, not 1"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, fields: dict[str, object], expected: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"utterance": "u", "phones": [], **fields}) + "\n")
    with pytest.raises(InputError) as caught:
        list(read_transcripts(path))
    assert str(caught.value) == f"{path}:1: not a transcript: {expected}"
