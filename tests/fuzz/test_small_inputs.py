"""Small inputs that once ended in a traceback, a wrong result or a message of megabytes, and the message for each."""

from pathlib import Path

import pytest
from support.commands.asr_command import Command

from asr.corpora.timit_labels import read_phones
from asr.errors import InputError
from asr.formats.textgrid_reader import read_tier
from asr.phones.phone_set import load_phone_set

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join(9 * [f'*{before}'])}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def only_line(asr_command: Command, *arguments: object) -> str:
    outcome = asr_command(*arguments)
    assert outcome.status == 1
    [line] = outcome.err.splitlines()
    assert len(line) < 700
    return line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, r"more than 10,000 keys, values and items, as aliases repeat them"),
        ("corpus: {name: demo}\non: 1\n", "2: not valid YAML: the document: key 'on' is not text in YAML"),
        ("corpus: {name: demo}\nseed: 2024-01-01\n", "2: not valid YAML: seed: '2024-01-01' is a date in YAML"),
        ("corpus: {name: demo}\nseed: " + "9" * 5000, "2: not valid YAML: seed: the number"),
        ("corpus: " + "[" * 1000, "nested more than 50 deep"),
        ("corpus: {name: demo}\nmodel:\n  dropout: lots\n", "3: model.dropout: 'lots' is not allowed"),
        ("corpus: !!python/object/apply:os.system [true]\n", "the tag"),
    ],
    ids=["aliases", "a boolean as a key", "a date", "digits", "nesting", "a word for a number", "a tag"],
)
def test_recipes(text: str, expected: str, tmp_path: Path, asr_command: Command) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    line = only_line(asr_command, "model", "show", recipe)
    assert line.startswith(f"asr: {recipe}")
    assert expected in line


@pytest.mark.parametrize("number", ["9" * 400, "1e999", "NaN", "-Infinity"])
def test_numbers_in_transcripts(number: str, tmp_path: Path, asr_command: Command) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"utterance": "a", "phones": [{{"phone": "aa", "start": {number}, "end": 1.0}}]}}\n')
    assert f"asr: {path}:1: not valid JSON: " in only_line(asr_command, "score", path, path)


def test_labels_with_huge_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.phn"
    path.write_text(f"0 {'9' * 400} h#\n")
    with pytest.raises(InputError, match=r"a\.phn:1: expected a whole number of samples") as caught:
        read_phones(path, 16000, load_phone_set("timit61"))
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("text", ["[]", "[1]", "", "ooTextFile"])
def test_textgrids_that_are_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(text)
    with pytest.raises(InputError, match=r"a\.TextGrid: not a Praat TextGrid that can be read"):
        read_tier(path, "phones")


def test_names_are_shown_and_not_obeyed(tmp_path: Path, asr_command: Command) -> None:
    path = tmp_path / "a.jsonl"
    name = "[red]x\\u001b[31m[/nothing]"
    path.write_text(f'{{"utterance": "a", "speaker": "{name}", "phones": [{{"phone": "aa"}}]}}\n')
    outcome = asr_command("score", path, path, "--by-speaker")
    assert outcome.status == 0, outcome.err
    assert "\x1b" not in outcome.out
    assert "[red]" in outcome.out
