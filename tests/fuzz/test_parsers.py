"""Whatever is in a file, its parser reads it or says in one short line what is wrong; nothing else comes out.

FUZZ_EXAMPLES is the number of damaged inputs for each parser, FUZZ_SEED chooses others. An input that a parser did not
stand goes into found/, in the folder of its parser.
"""

import os
import tempfile
import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support.fuzzed_parsers import PARSERS, parsers, stored
from support.mutations import mutated

from asr.errors import MOST_CHARACTERS, InputError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
FOUND = sorted(path for path in (Path(__file__).parent / "found").glob("*/*"))
LONGEST = 2 * MOST_CHARACTERS + 100
"""Of a message: the file's name, a line's number and the message."""


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


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_inputs_are_read_or_one_line(name: str) -> None:
    seeds = parsers()[name].seeds
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @seed(SEED)
        @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(seeds), st.integers(0, 2**64))
        def all_of_them(content: bytes, number: int) -> None:
            check(name, Path(folder), mutated(content, Random(number)))

        all_of_them()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_inputs_that_were_found_are_one_line(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        parsers()[path.parent.name](tmp_path, path.read_bytes())
    check(path.parent.name, tmp_path, path.read_bytes())
