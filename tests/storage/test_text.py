"""Text files in the encodings that people's editors write, and what is not text."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.errors import InputError
from asr.storage.text import read_lines, read_text

TEXT = "we found\nläßt’s “go”\n\nend"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le with mark", "utf-16-be with mark")


def encoded(text: str, encoding: str) -> bytes:
    name, _, mark = encoding.partition(" ")
    return (("\ufeff" if mark else "") + text).encode(name)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_unicode_is_read_whatever_its_mark_and_line_ends(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(encoded(TEXT.replace("\n", newline), encoding))
    assert list(read_lines(path)) == [(1, "we found"), (2, "läßt’s “go”"), (3, ""), (4, "end")]
    assert read_text(path) == TEXT + "\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")),
    encoding=st.sampled_from(ENCODINGS),
)
def test_any_text_comes_back(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(encoded(text, encoding))
    lines = text.removeprefix("\ufeff" if encoding == "utf-8" else "").split("\n")
    assert [line for _, line in read_lines(path)] == (lines if lines[-1] else lines[:-1])


def test_latin_1_is_read_where_it_may_be_with_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("plain\nÜber\nit’s\n".encode("cp1252") + "é\n".encode())
    with caplog.at_level(logging.WARNING):
        assert [line for _, line in read_lines(path, fallback=True)] == ["plain", "Über", "it’s", "é"]
    assert caplog.messages == [f"{path}:2: is not UTF-8; read as Windows-1252 (Latin-1)"]
    with pytest.raises(InputError, match=r"a\.txt:2: is not UTF-8 text; save the file as UTF-8"):
        list(read_lines(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\n\x00\x01", r"a\.txt:2: has NUL bytes"),
        ("text".encode("utf-16-le"), r"a\.txt:1: has NUL bytes: a binary file, or UTF-16 without its mark"),
        ("text".encode("utf-16") + b"x", r"a\.txt: is not complete UTF-16"),
        ("text".encode("utf-32"), r"a\.txt: is UTF-32; save the file as UTF-8"),
        (b"text\n\xff\x81\n", r"a\.txt:2: is neither UTF-8 nor Windows-1252"),
    ],
    ids=["NUL", "no mark", "cut UTF-16", "UTF-32", "no encoding"],
)
def test_what_is_not_text_says_so(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_lines(path, fallback=True))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: cannot read: No such file"):
        read_text(tmp_path / "none")
    with pytest.raises(InputError, match="cannot read: Is a directory"):
        read_text(tmp_path)


def test_lines_come_as_the_file_is_read(tmp_path: Path) -> None:
    """A later line that is broken does no harm to those before it, so the file is not read as a whole."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 50 + b"\n" + b"y\n" * 100_000 + b"\xff\n")
    lines: Iterator[tuple[int, str]] = read_lines(path)
    assert next(lines) == (1, "x" * 50)
    assert read_text(path, most=60).startswith("x" * 50)
