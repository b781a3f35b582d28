"""Errors that name a page of the documentation."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.corpora.timit_files import find_timit
from asr.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]


def named_pages() -> Iterator[tuple[str, Path]]:
    """Each page that an InputError of the package names, with the module."""
    for module in sorted((REPOSITORY / "asr").rglob("*.py")):
        text = module.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(text)) if "page=" in text else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "InputError":
                for keyword in call.keywords:
                    if keyword.arg == "page":
                        yield ast.literal_eval(keyword.value), module


def test_named_pages_exist() -> None:
    named = list(named_pages())
    assert len(named) >= 8
    assert [(page, str(module)) for page, module in named if not (REPOSITORY / "docs" / page).is_file()] == []


def test_the_message_ends_with_the_page(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        find_timit(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}: TIMIT is not here")
    assert str(raised.value).endswith("; see docs/timit.md")


def test_a_long_message_still_ends_with_it() -> None:
    assert str(InputError("word " * 1000, "file.txt", 3, page="formats.md")).endswith("; see docs/formats.md")


def test_it_survives_the_way_to_another_process() -> None:
    error = InputError("wrong", "file.txt", page="formats.md")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "file.txt: wrong; see docs/formats.md"
