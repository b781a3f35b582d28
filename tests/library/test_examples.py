"""The examples in the documentation and in docstrings run, and give what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import numpy
import pytest
from support.doctest_folder import doctest_folder

import asr
from asr.recognizer import Recognizer

FLAGS = doctest.ELLIPSIS
PAGE = Path(__file__).parents[2] / "docs" / "library.md"


@pytest.fixture
def names(tiny_run: Path, demo_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What an example may use, in a folder that has its files."""
    recognizer = Recognizer(tiny_run)
    doctest_folder(tmp_path, tiny_run, demo_corpus, recognizer)
    monkeypatch.chdir(tmp_path)
    transcript = recognizer.transcribe("hello.wav")
    return {"asr": asr, "numpy": numpy, "recognizer": recognizer, "transcript": transcript}


@pytest.mark.parametrize("module", ["asr", "asr.recognizer", "asr.library.transcription"])
def test_examples_of_docstrings(module: str, names: dict[str, object]) -> None:
    failed, tried = doctest.testmod(import_module(module), extraglobs=names, optionflags=FLAGS)
    assert tried > 0
    assert failed == 0


def test_examples_of_the_page(names: dict[str, object]) -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=FLAGS)
    assert tried > 10
    assert failed == 0
