"""Whatever is in a file, its parser reads it or says in one short line what is wrong; nothing else comes out.

FUZZ_EXAMPLES is the number of damaged inputs for each parser, FUZZ_SEED chooses others. An input that breaks a
parser goes into found/, in the folder of that parser.
"""

import json
import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fuzzing.fuzzed_parsers import PARSERS, WRITTEN_BY_PEOPLE, parsers, stored
from support.fuzzing.mutations import mutated

from asr.errors import MOST_CHARACTERS, InputError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
FOUND = sorted(path for path in (Path(__file__).parent / "found").glob("*/*"))
LONGEST = 2 * MOST_CHARACTERS + 100
"""Characters of a message: the file's name, a line's number and the text."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def check(name: str, folder: Path, content: bytes) -> None:
    """Reads the content; an InputError must be one short line, and any other error comes through."""
    try:
        parsers()[name](folder, stored(name, content))
    except InputError as error:
        message = str(error)
        assert len(message) <= LONGEST, message
        assert message.isprintable(), ascii(message)
        assert str(folder) in message


@pytest.mark.parametrize("name", PARSERS)
def test_valid_inputs_are_read(name: str, tmp_path: Path) -> None:
    for content in parsers()[name].seeds:
        parsers()[name](tmp_path, stored(name, content))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", WRITTEN_BY_PEOPLE)
def test_the_encoding_of_a_text_changes_nothing(name: str, encoding: str, tmp_path: Path) -> None:
    for content in parsers()[name].seeds:
        with suppress(UnicodeDecodeError):
            other = content.decode().encode(encoding)
            assert parsers()[name](tmp_path, other) == parsers()[name](tmp_path, content)


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_inputs_are_read_or_one_line(name: str) -> None:
    seeds = parsers()[name].seeds
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")

        for number in range(EXAMPLES):
            random = Random(f"{SEED} {number}")
            content = mutated(random.choice(seeds), random)
            try:
                check(name, Path(folder), content)
            except Exception as error:
                raise AssertionError(f"{name} breaks on {content!r}") from error


@pytest.mark.parametrize("name", [name for name in PARSERS if parsers()[name].name.endswith(".jsonl")])
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_is_read_or_one_line(name: str, tmp_path: Path, data: st.DataObject) -> None:
    """Every value of a valid line, one by one, becomes any other."""
    rows = [json.loads(line) for line in parsers()[name].seeds[0].splitlines() if line.endswith(b"}")] or [{}]
    row = data.draw(st.sampled_from(rows))
    place: Any = row
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(VALUES)
    check(name, tmp_path, "".join(json.dumps(each) + "\n" for each in rows).encode())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_inputs_that_were_found_are_one_line(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        parsers()[path.parent.name](tmp_path, path.read_bytes())
    check(path.parent.name, tmp_path, path.read_bytes())
