"""The examples in the documentation and in docstrings run, and give what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import numpy
import pytest
from support.commands.doctest_folder import doctest_folder

import asr
from asr.recognizer import Recognizer

FLAGS = doctest.ELLIPSIS
PAGE = Path(__file__).parents[2] / "docs" / "library.md"
PACKAGE = Path(asr.__file__).parent


def modules_with_examples() -> list[str]:
    """The modules of the package that have an example in a docstring."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
    parts = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in files)
    return [".".join(each).removesuffix(".__init__") for each in parts]


@pytest.fixture(scope="module")
def folder(tiny_run: Path, demo_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the files of the examples."""
    folder = tmp_path_factory.mktemp("examples")
    doctest_folder(folder, tiny_run, demo_corpus, Recognizer(tiny_run))
    return folder


@pytest.fixture
def names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What an example of the library may use, in that folder."""
    monkeypatch.chdir(folder)
    recognizer = Recognizer(Path("runs/demo/dnn"))
    return {
        "asr": asr,
        "numpy": numpy,
        "recognizer": recognizer,
        "transcript": recognizer.transcribe("hello.wav"),
    }


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples_of_docstrings(module: str, names: dict[str, object]) -> None:
    failed, tried = doctest.testmod(import_module(module), extraglobs=names, optionflags=FLAGS)
    assert tried > 0
    assert failed == 0


def test_examples_of_the_page(names: dict[str, object]) -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=FLAGS)
    assert tried > 10
    assert failed == 0
