"""JSON has bounds: no value that is read can surprise a caller with its size or depth."""

import json

import pytest

from asr.storage.json_text import MOST_DIGITS, MOST_NESTED, parse_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e999", "the number '1e999' is too large"),
        ("[0.5, -2E+400]", "is too large"),
        ("9" * 400 + ".0", "is too large"),
        ("9" * (MOST_DIGITS + 1), "is too large"),
        ("-" + "9" * 5000, "is too large"),
        ("[" * (MOST_NESTED + 1) + "]" * (MOST_NESTED + 1), "nested more than 50 deep"),
        ('{"a":' * 100_000, "nested more than 50 deep"),
        ("[1", "delimiter"),
    ],
)
def test_what_is_out_of_bounds_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_json(text)


@pytest.mark.parametrize(
    "value",
    [
        json.loads("[" * MOST_NESTED + "]" * MOST_NESTED),
        "[" * 200,
        ["{" * 60, {"a": "]" * 60}],
        [{"a": [{}] * 3}] * 100,
        "1e999",
        "9" * 400,
        [1e308, -1e-300, 123456789012345678.5],
        int("9" * MOST_DIGITS),
        "\ud800",
    ],
)
def test_what_is_within_them_is_read(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
