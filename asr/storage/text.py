"""Reading text files, which may come from any editor: the one place that knows about encodings."""

import codecs
import gzip
import logging
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader, TextIOWrapper
from itertools import chain
from pathlib import Path

from asr.errors import InputError

log = logging.getLogger(__name__)

FALLBACK = "cp1252"
"""Windows-1252: the encoding of text that is not Unicode. Latin-1 text is the same in it."""


def read_lines(path: Path | str, fallback: bool = False) -> Iterator[tuple[int, str]]:
    """Yields the number and the text of each line, without its end, as the file is read.

    The file is UTF-8, with or without a byte order mark, or UTF-16 with one. With `fallback`, a line that is not UTF-8
    is read as Windows-1252, and the first such line is logged as a warning; for what people write, not for formats
    that are always UTF-8. Raises InputError for a file that cannot be read, and for a line that is not text.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, _decoded(file, path) as text:
            yield from _lines(text, path, fallback)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path) from error
    except UnicodeError as error:
        raise InputError("is not complete UTF-16 text; save the file as UTF-8", path) from error


def _lines(text: Iterable[str], path: Path, fallback: bool) -> Iterator[tuple[int, str]]:
    warned = False
    for number, line in enumerate(text, 1):
        if "\0" in line:
            raise InputError("has NUL bytes: a binary file, or UTF-16 without its mark", path, number)
        if not line.isascii() and (raw := _not_utf8(line)) is not None:
            if not fallback:
                raise InputError("is not UTF-8 text; save the file as UTF-8", path, number)
            line = _windows_1252(raw, path, number)
            if not warned:
                log.warning("%s:%d: is not UTF-8; read as Windows-1252 (Latin-1)", path, number)
                warned = True
        yield number, line.removesuffix("\n")


def read_packed_lines(path: Path, fallback: bool = False) -> Iterator[tuple[int, str]]:
    """As `read_lines`; a file whose name ends in .gz is unpacked, and always UTF-8. Raises InputError where it is
    damaged."""
    if path.suffix.lower() != ".gz":
        yield from read_lines(path, fallback)
        return
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig") as lines:
            yield from ((number, line.removesuffix("\n")) for number, line in enumerate(lines, 1))
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "not a complete .gz file of UTF-8 text"
        raise InputError(f"cannot read: {reason}", path) from error


def read_packed_bytes(path: Path) -> bytes:
    """The lines of `read_packed_lines` as UTF-8 with `\\n` between them, at once: for long files of plain text."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            text = file.read()
    except (OSError, EOFError, zlib.error):
        text = b"\r"
    plain = text.isascii() and b"\r" not in text and b"\0" not in text
    return text if plain else "\n".join(line for _, line in read_packed_lines(path)).encode()


def read_text(path: Path | str, fallback: bool = False, most: int | None = None) -> str:
    """The text of a file, with `\\n` at the line ends; of a longer one, its first lines with `most` characters or more.

    Encodings and errors as in `read_lines`.
    """
    lines: list[str] = []
    size = 0
    for _, line in read_lines(path, fallback):
        lines.append(line)
        size += len(line) + 1
        if most is not None and size >= most:
            break
    return "\n".join(chain(lines, [""])) if lines else ""


def _decoded(file: BufferedReader, path: Path) -> TextIOWrapper:
    """The file as text, in the encoding that its first bytes ask for; bytes that are not UTF-8 become surrogates."""
    first = file.peek(4)
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InputError("is UTF-32; save the file as UTF-8", path)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return TextIOWrapper(file, "utf-16")
    return TextIOWrapper(file, "utf-8-sig", "surrogateescape")


def _not_utf8(line: str) -> bytes | None:
    """The bytes of a line that is not UTF-8; None for one that is."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape")
    return None


def _windows_1252(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode(FALLBACK)
    except UnicodeDecodeError as error:
        raise InputError("is neither UTF-8 nor Windows-1252 text; save the file as UTF-8", path, number) from error
