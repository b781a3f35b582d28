"""YAML has bounds, and each mistake has its key and line."""

from pathlib import Path

import pytest

from asr.errors import InputError
from asr.storage.yaml_text import MOST_CHARACTERS, MOST_NESTED, MOST_NODES, read_yaml

BOMB = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
LONG = "a" * 1000


def read(folder: Path, text: str) -> object:
    (folder / "x.yaml").write_text(text)
    return read_yaml(folder / "x.yaml").value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nseed: !!bool maybe\n", "x.yaml:2: not valid YAML: seed: 'maybe' is not true or false"),
        ("a:\n  b: 2024-13-01\n", "x.yaml:2: not valid YAML: a.b: '2024-13-01' is a date in YAML; put it in quotes"),
        ("a: [1, !!int x]\n", "x.yaml:1: not valid YAML: a.1: 'x' is not a whole number"),
        ("a: !!float ''\n", "a: '' is not a number"),
        ("a: 1\nyes: 2\n", "x.yaml:2: not valid YAML: the document: key 'yes' is not text in YAML; put it in quotes"),
        ("a: {1: 2}\n", "a: key '1' is not text"),
        ("a: {[1]: 2}\n", "a: a key must be text, not a list or mapping"),
        ("b: &b {c: 1}\na: {<<: *b}\n", "a: key '<<' is not text"),
        ("a: !!set {b}\n", "a: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("a: !!binary eA==\n", "a: the tag 'tag:yaml.org,2002:binary' is not allowed"),
        ("a: !x b\n", "a: the tag '!x' is not allowed"),
        ("a: 1\na: 2\n", "x.yaml:2: not valid YAML: key 'a' occurs twice"),
        (f"a: {'9' * 41}\n", "a: the number '9999"),
        (BOMB, "more than 10,000 keys, values and items, as aliases repeat them"),
        (f"s: &s {LONG}\na: [{', '.join(['*s'] * 2000)}]\n", "as aliases repeat them"),
        ("a: &a [*a]\n", "an alias repeats itself"),
        ("a: " + "[" * (MOST_NESTED + 1), "nested more than 50 deep"),
        ("- " * 100_000, "nested more than 50 deep"),
        (f"[{'a,' * (MOST_NODES + 1)}]", "more than 10,000 keys, values and items"),
        ("#" * (MOST_CHARACTERS + 1), "has more than 1,000,000 characters"),
        ("a: *b\n", "undefined alias"),
        ("a: \x07\n", "special characters are not allowed"),
    ],
)
def test_a_mistake_is_one_short_line(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 700


def test_values_are_read_with_their_lines(tmp_path: Path) -> None:
    text = "a: &a {b: 1.5, c: null}\nd: [true, 0x1F, '2024-13-01', x]\ne: *a\n"
    assert read(tmp_path, text) == {
        "a": {"b": 1.5, "c": None},
        "d": [True, 31, "2024-13-01", "x"],
        "e": {"b": 1.5, "c": None},
    }
    lines = read_yaml(tmp_path / "x.yaml").lines
    assert (lines["a", "b"], lines["d", "3"], lines["e",]) == (1, 2, 3)


def test_an_empty_document_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
